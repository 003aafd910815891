"""Twenty sync stages that read `self`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.shape import Fails, Shape, failed, numbers
from benchmarks.shapes.arithmetic import Back, Scale, Share, Shift, Wrap

SCALE_0, SHIFT_0, WRAP_0, BACK_0, SHARE_0 = Scale(3), Shift(7), Wrap(10_000), Back(5), Share(2)
SCALE_1, SHIFT_1, WRAP_1, BACK_1, SHARE_1 = Scale(5), Shift(11), Wrap(9_000), Back(4), Share(3)
SCALE_2, SHIFT_2, WRAP_2, BACK_2, SHARE_2 = Scale(7), Shift(13), Wrap(8_000), Back(3), Share(2)
SCALE_3, SHIFT_3, WRAP_3, BACK_3, SHARE_3 = Scale(9), Shift(17), Wrap(7_000), Back(2), Share(3)

twenty = (
    SCALE_0
    >> SHIFT_0
    >> WRAP_0
    >> BACK_0
    >> SHARE_0
    >> SCALE_1
    >> SHIFT_1
    >> WRAP_1
    >> BACK_1
    >> SHARE_1
    >> SCALE_2
    >> SHIFT_2
    >> WRAP_2
    >> BACK_2
    >> SHARE_2
    >> SCALE_3
    >> SHIFT_3
    >> WRAP_3
    >> BACK_3
    >> SHARE_3
)


def by_hand(items: Iterable[int]) -> Iterator[int]:
    """Twenty lines of work, and around each what says where it failed."""
    scale_0, shift_0, wrap_0, back_0, share_0 = SCALE_0, SHIFT_0, WRAP_0, BACK_0, SHARE_0
    scale_1, shift_1, wrap_1, back_1, share_1 = SCALE_1, SHIFT_1, WRAP_1, BACK_1, SHARE_1
    scale_2, shift_2, wrap_2, back_2, share_2 = SCALE_2, SHIFT_2, WRAP_2, BACK_2, SHARE_2
    scale_3, shift_3, wrap_3, back_3, share_3 = SCALE_3, SHIFT_3, WRAP_3, BACK_3, SHARE_3
    for index, item in enumerate(items):
        try:
            a = item * scale_0.factor
        except Exception as error:
            raise failed("Scale", error, 0, item, index) from error
        try:
            b = a + shift_0.by
        except Exception as error:
            raise failed("Shift", error, 1, a, index) from error
        try:
            c = b % wrap_0.size
        except Exception as error:
            raise failed("Wrap", error, 2, b, index) from error
        try:
            d = c - back_0.by
        except Exception as error:
            raise failed("Back", error, 3, c, index) from error
        try:
            e = d // share_0.among
        except Exception as error:
            raise failed("Share", error, 4, d, index) from error
        try:
            f = e * scale_1.factor
        except Exception as error:
            raise failed("Scale", error, 5, e, index) from error
        try:
            g = f + shift_1.by
        except Exception as error:
            raise failed("Shift", error, 6, f, index) from error
        try:
            h = g % wrap_1.size
        except Exception as error:
            raise failed("Wrap", error, 7, g, index) from error
        try:
            i = h - back_1.by
        except Exception as error:
            raise failed("Back", error, 8, h, index) from error
        try:
            j = i // share_1.among
        except Exception as error:
            raise failed("Share", error, 9, i, index) from error
        try:
            k = j * scale_2.factor
        except Exception as error:
            raise failed("Scale", error, 10, j, index) from error
        try:
            m = k + shift_2.by
        except Exception as error:
            raise failed("Shift", error, 11, k, index) from error
        try:
            n = m % wrap_2.size
        except Exception as error:
            raise failed("Wrap", error, 12, m, index) from error
        try:
            o = n - back_2.by
        except Exception as error:
            raise failed("Back", error, 13, n, index) from error
        try:
            p = o // share_2.among
        except Exception as error:
            raise failed("Share", error, 14, o, index) from error
        try:
            q = p * scale_3.factor
        except Exception as error:
            raise failed("Scale", error, 15, p, index) from error
        try:
            r = q + shift_3.by
        except Exception as error:
            raise failed("Shift", error, 16, q, index) from error
        try:
            s = r % wrap_3.size
        except Exception as error:
            raise failed("Wrap", error, 17, r, index) from error
        try:
            t = s - back_3.by
        except Exception as error:
            raise failed("Back", error, 18, s, index) from error
        try:
            u = t // share_3.among
        except Exception as error:
            raise failed("Share", error, 19, t, index) from error
        yield u


SHAPES = (
    Shape(
        name="twenty",
        about="20 sync stages that read `self`",
        chain=twenty,
        expert=by_hand,
        items=numbers,
        count=3_000,
        failing=(None, *(Fails(stage) for stage in range(20))),
    ),
)
