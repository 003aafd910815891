"""§2: the families of pipes, joining, functions, settings, and one item at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from rivusio import (
    AsyncBasePipe,
    AsyncFilterPipe,
    AsyncFlatMapPipe,
    AsyncPipeline,
    BackpressureConfig,
    BatchStreamPipe,
    FilterPipe,
    FlatMapPipe,
    PipelineError,
    PipelineMonitor,
    SlidingWindowPipe,
    StreamConfig,
    StreamError,
    StreamPipe,
    SyncBasePipe,
    SyncPipeline,
    WindowedStreamPipe,
    batch,
    drop_none,
    filter,
    flat_map,
    map,
    pipe,
    skip,
    sliding,
    take,
    take_while,
    tumbling,
)
from tests.semantics.support import Double, FailsOn, SlowDouble, in_turn, outputs_of

pytestmark = pytest.mark.usefixtures("mode")

SECOND = timedelta(seconds=1)


class Odd(FilterPipe[int]):
    def keep(self, item: int) -> bool:
        return item % 2 == 1


class SlowOdd(AsyncFilterPipe[int]):
    async def keep(self, item: int) -> bool:
        await asyncio.sleep(0)
        return item % 2 == 1


class UpTo(FlatMapPipe[int, int]):
    def expand(self, item: int) -> Iterable[int]:
        return range(item)


class SlowUpTo(AsyncFlatMapPipe[int, int]):
    async def expand(self, item: int) -> Iterable[int]:
        await asyncio.sleep(0)
        return range(item)


class GeneratedUpTo(AsyncFlatMapPipe[int, int]):
    async def expand(self, item: int) -> AsyncIterator[int]:
        for each in range(item):
            await asyncio.sleep(0)
            yield each


class Increment(StreamPipe[int, int]):
    async def process_item(self, item: int) -> int:
        await asyncio.sleep(0)
        return item + 1


class PlainIncrement(StreamPipe[int, int]):
    def process_item(self, item: int) -> int:
        return item + 1


class Pairs(StreamPipe[int, tuple[int, int]]):
    async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[tuple[int, int]]:
        async for item in stream:
            async for other in stream:
                yield item, other
                break


class Sum(BatchStreamPipe[int, int]):
    async def process_batch(self, batch: list[int]) -> int:
        await asyncio.sleep(0)
        return sum(batch)


class PlainSum(BatchStreamPipe[int, int]):
    def process_batch(self, batch: list[int]) -> int:
        return sum(batch)


class WindowSum(WindowedStreamPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return sum(window)


class PlainWindowSum(WindowedStreamPipe[int, int]):
    def process_window(self, window: list[int]) -> int:
        return sum(window)


class SlidingSum(SlidingWindowPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return sum(window)


FAMILIES: list[tuple[Any, list[int], list[Any]]] = [
    (Double(), [1, 2], [2, 4]),
    (SlowDouble(), [1, 2], [2, 4]),
    (Odd(), [1, 2, 3], [1, 3]),
    (SlowOdd(), [1, 2, 3], [1, 3]),
    (UpTo(), [2, 0, 1], [0, 1, 0]),
    (SlowUpTo(), [2, 0, 1], [0, 1, 0]),
    (GeneratedUpTo(), [2, 0, 1], [0, 1, 0]),
    (Increment(), [1, 2], [2, 3]),
    (PlainIncrement(), [1, 2], [2, 3]),
    (Pairs(), [1, 2, 3, 4, 5], [(1, 2), (3, 4)]),
    (Sum(2), [1, 2, 3], [3, 3]),
    (PlainSum(2), [1, 2, 3], [3, 3]),
    (WindowSum(SECOND), [1, 2, 3], [6]),
    (PlainWindowSum(SECOND), [1, 2, 3], [6]),
    (SlidingSum(2, 1), [1, 2, 3], [3, 5]),
]


@pytest.mark.rule("2", "2.1")
@pytest.mark.parametrize(("family", "items", "expected"), FAMILIES, ids=lambda each: str(each))
async def test_each_family_over_a_plain_and_an_async_source(
    family: Any, items: list[int], expected: list[Any]
) -> None:
    assert await outputs_of(family, items) == expected
    assert await outputs_of(family, in_turn(items)) == expected  # type: ignore[arg-type]  # async


@pytest.mark.rule("2")
@pytest.mark.parametrize("family", [Double(), Odd(), UpTo()], ids=str)
def test_the_sync_families_run_without_an_event_loop(family: Any) -> None:
    expected = {"Double": [2, 4], "Odd": [1], "UpTo": [0, 0, 1]}[str(family)]
    assert list(family.iterate([1, 2])) == expected


@pytest.mark.rule("2")
async def test_outputs_of_a_flat_map_are_made_when_they_are_asked_for() -> None:
    made: list[int] = []

    def expand(item: int) -> Iterator[int]:
        for each in range(item):
            made.append(each)
            yield each

    run = flat_map(expand).stream([5])
    assert [await anext(run), await anext(run)] == [0, 1]
    assert made == [0, 1]
    await run.aclose()


def same(item: Any) -> Any:
    return item


@pytest.mark.rule("2")
def test_a_flat_map_that_gives_no_iterable_is_an_error_of_that_stage() -> None:
    run = flat_map(same).iterate([1])
    with pytest.raises(StreamError, match="must give an iterable, got int"):
        next(run)


@pytest.mark.rule("2.1")
async def test_process_items_maps_process_item_over_a_batch() -> None:
    class Each(BatchStreamPipe[int, list[int]]):
        async def process_item(self, item: Any) -> Any:
            return item * 10

        async def process_batch(self, batch: list[int]) -> list[int]:
            return await self.process_items(batch)

    class EachPlain(WindowedStreamPipe[int, list[int]]):
        def process_item(self, item: Any) -> Any:
            return item * 10

        async def process_window(self, window: list[int]) -> list[int]:
            return await self.process_items(window)

    assert await outputs_of(Each(2), [1, 2, 3]) == [[10, 20], [30]]
    assert await outputs_of(EachPlain(SECOND), [1, 2, 3]) == [[10, 20, 30]]


@pytest.mark.rule("2.1")
async def test_process_items_without_process_item_gives_the_items() -> None:
    class Same(BatchStreamPipe[int, list[int]]):
        async def process_batch(self, batch: list[int]) -> list[int]:
            return await self.process_items(batch)

    assert await outputs_of(Same(2), [1, 2]) == [[1, 2]]


@pytest.mark.rule("2.1")
async def test_a_plain_method_may_give_an_awaitable() -> None:
    class Later(StreamPipe[int, int]):
        def process_item(self, item: int) -> Awaitable[int]:
            return SlowDouble().process(item)

    assert await outputs_of(Later(), [1, 2]) == [2, 4]


@pytest.mark.rule("2.1")
@pytest.mark.parametrize("stage", [PlainIncrement(), PlainSum(2), PlainWindowSum(SECOND)], ids=str)
def test_plain_methods_do_not_change_the_family(stage: Any) -> None:
    assert stage.is_async
    assert isinstance(Double() >> stage, AsyncPipeline)


@pytest.mark.rule("2.2")
def test_constructors_take_a_name_and_a_config() -> None:
    config = StreamConfig(retry_attempts=2)
    pipes = [
        Sum(2, linger=SECOND, config=config, name="x"),
        WindowSum(SECOND, config=config, name="x"),
        SlidingSum(2, 1, config=config, name="x"),
        Increment(config, name="x"),
        StreamPipe(config=config, name="x"),
        FailsOnNothing("x", config=config),
    ]
    for each in pipes:
        assert (each.name, str(each), repr(each)) == ("x", "x", "<x>")
        (stage,) = (
            SyncPipeline([each]).stages if not each.is_async else AsyncPipeline([each]).stages
        )
        assert stage.settings.retry is not None


class FailsOnNothing(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return data


class Forgetful(SyncBasePipe[int, int]):
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def process(self, data: int) -> int:
        return self.factor * data


class ForgetfulStream(StreamPipe[int, int]):
    def __init__(self, factor: int) -> None:
        self.factor = factor

    async def process_item(self, item: int) -> int:
        return self.factor * item


class ForgetfulBatch(BatchStreamPipe[int, int]):
    batch_size = 2

    def __init__(self) -> None:
        pass

    async def process_batch(self, batch: list[int]) -> int:
        return sum(batch)


class ForgetfulWindow(SlidingWindowPipe[int, int]):
    size = 2

    def __init__(self) -> None:
        pass

    async def process_window(self, window: list[int]) -> int:
        return sum(window)


@dataclass
class Scaled(SyncBasePipe[int, int]):
    factor: int

    def process(self, data: int) -> int:
        return self.factor * data


@pytest.mark.rule("2.2")
async def test_an_init_that_forgets_its_super_still_works() -> None:
    assert await outputs_of(Forgetful(3) >> ForgetfulStream(5), [1, 2]) == [15, 30]
    assert await outputs_of(ForgetfulBatch(), [1, 2, 3]) == [3, 3]
    assert await outputs_of(ForgetfulWindow(), [1, 2, 3]) == [3, 5]
    assert list(Scaled(3).iterate([1])) == [3]
    assert Forgetful(3).name == "Forgetful"


@pytest.mark.rule("2.2")
async def test_a_size_that_nobody_gave_is_asked_for() -> None:
    class Sizeless(BatchStreamPipe[int, int]):
        def __init__(self) -> None:
            pass

        async def process_batch(self, batch: list[int]) -> int:
            return sum(batch)

    with pytest.raises(TypeError, match="Sizeless has no batch_size.*super"):
        Sizeless().stream([1])


@pytest.mark.rule("2.3")
async def test_stream_pipe_itself_is_the_identity() -> None:
    same = StreamPipe(config=BackpressureConfig(max_buffer_size=2))
    assert await outputs_of(same, [1, None, "x"]) == [1, None, "x"]


@pytest.mark.rule("2.3", "2.4")
async def test_what_can_be_awaited_is_an_item_where_no_user_code_runs() -> None:
    futures = [asyncio.get_running_loop().create_future() for _ in range(3)]
    assert await outputs_of(StreamPipe[Any, Any](), futures) == futures
    assert await outputs_of(take(2) >> batch(2), futures) == [futures[:2]]


@pytest.mark.rule("2.3")
def test_a_stream_pipe_that_does_nothing_is_refused_when_made() -> None:
    class Idle(StreamPipe[int, int]):
        pass

    with pytest.raises(TypeError, match="Idle overrides neither process_item nor process_stream"):
        Idle()


@pytest.mark.rule("2.3")
async def test_a_process_stream_may_call_its_super() -> None:
    class Twice(StreamPipe[int, int]):
        async def process_item(self, item: int) -> int:
            return item + 1

        async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
            async for item in super().process_stream(stream):
                yield item
                yield item

    assert await outputs_of(Twice(), [1, 2]) == [2, 2, 3, 3]


@pytest.mark.rule("2.4")
async def test_the_operators() -> None:
    assert list(map(str).iterate([1])) == ["1"]
    assert list(filter(lambda item: item > 1).iterate([1, 2])) == [2]
    assert list(flat_map(str.split).iterate(["a b", "c"])) == ["a", "b", "c"]
    assert list(take(2).iterate("abc")) == ["a", "b"]
    assert list(skip(2).iterate("abc")) == ["c"]
    assert list(take_while(str.isdigit).iterate("12x3")) == ["1", "2"]
    assert list(drop_none().iterate([1, None, 0])) == [1, 0]
    assert list(batch(2).iterate("abc")) == [["a", "b"], ["c"]]
    assert list(tumbling(SECOND).iterate("ab")) == [["a", "b"]]
    assert list(sliding(2, 1).iterate("abc")) == [["a", "b"], ["b", "c"]]
    assert await outputs_of(batch(2, linger=SECOND), "abc") == [["a", "b"], ["c"]]


@pytest.mark.rule("2.4")
async def test_the_operators_over_coroutine_functions_are_async() -> None:
    async def double(item: int) -> int:
        return 2 * item

    async def is_odd(item: int) -> bool:
        return item % 2 == 1

    async def both(item: int) -> list[int]:
        return [item, -item]

    async def each(item: int) -> AsyncIterator[int]:
        yield item
        yield item

    for stage, expected in (
        (map(double), [2, 4]),
        (filter(is_odd), [1]),
        (take_while(is_odd), [1]),
        (flat_map(both), [1, -1, 2, -2]),
        (flat_map(each), [1, 1, 2, 2]),
    ):
        assert stage.is_async
        assert await outputs_of(stage, [1, 2]) == expected


@pytest.mark.rule("2.4")
def test_operators_over_plain_functions_and_sizes_are_sync() -> None:
    chain = map(int) >> filter(bool) >> batch(2) >> sliding(2) >> tumbling(SECOND) >> take(3)
    assert isinstance(chain, SyncPipeline)
    assert isinstance(map(int) >> batch(2, linger=SECOND), AsyncPipeline)


@pytest.mark.rule("2.4")
def test_take_asks_the_source_for_no_more_than_it_needs() -> None:
    asked = iter("abc")
    assert list(take(2).iterate(asked)) == ["a", "b"]
    assert list(asked) == ["c"]
    assert list((batch(1) >> take(0)).iterate(asked)) == []


@pytest.mark.rule("2.4")
def test_take_of_nothing_leaves_the_source_untouched() -> None:
    untouched = iter("abc")
    assert list(take(0).iterate(untouched)) == []
    assert list((map(str) >> take(0) >> batch(2)).iterate(untouched)) == []
    assert next(untouched) == "a"


@pytest.mark.rule("2.4")
def test_what_stands_behind_take_is_flushed_and_what_stands_before_is_discarded() -> None:
    monitor = PipelineMonitor()
    chain = batch(2) >> flat_map(lambda pair: pair) >> take(3) >> batch(2)
    assert list(chain.iterate("abcdef", monitor=monitor)) == [["a", "b"], ["c"]]
    assert monitor.get_metrics()["discarded"] == 1  # "d": it was expanded, and never taken


@pytest.mark.rule("2.4")
@pytest.mark.parametrize(("count", "left"), [(0, "abc"), (2, "c"), (3, ""), (9, "")])
async def test_what_skip_leaves_out_is_filtered(count: int, left: str) -> None:
    monitor = PipelineMonitor()
    chain = skip(count) >> map(str.upper)
    assert list(chain.iterate("abc", monitor=monitor)) == list(left.upper())
    assert await outputs_of(chain, "abc") == list(left.upper())
    first, second = monitor.get_metrics()["stages"]
    assert (first["items_in"], first["filtered"], first["items_out"]) == (
        3,
        3 - len(left),
        len(left),
    )
    assert second["items_in"] == len(left)
    assert monitor.get_metrics()["discarded"] == 0


@pytest.mark.rule("2.4")
async def test_skip_counts_what_comes_to_it_in_each_run_anew() -> None:
    chain = flat_map(lambda item: [item, -item]) >> skip(3) >> batch(2) >> skip(1)
    for _ in range(2):
        assert list(chain.iterate([1, 2, 3, 4])) == [[-3, 4], [-4]]
        assert await outputs_of(chain, [1, 2, 3, 4]) == [[-3, 4], [-4]]
    assert list((skip(1) >> take(1) >> skip(1)).iterate("abc")) == []


def this_and_next(item: int) -> list[int]:
    return [item, item + 1]


def whole(item: int) -> int:
    return item


def below_three(item: int) -> bool:
    return item < 3


@pytest.mark.rule("2.4", "3.6")
async def test_take_while_ends_the_run_at_the_item_it_refuses() -> None:
    chain = map(whole) >> take_while(below_three) >> map(str)
    for in_loop in (False, True):
        asked, monitor = iter([1, 2, 3, 1]), PipelineMonitor()
        if in_loop:
            got = [each async for each in chain.stream(asked, monitor=monitor)]
        else:
            got = list(chain.iterate(asked, monitor=monitor))
        assert got == ["1", "2"]
        assert list(asked) == [1]  # nothing was asked for after the refused one
        _, second, third = monitor.get_metrics()["stages"]
        assert (second["items_in"], second["items_out"], second["filtered"]) == (3, 2, 1)
        assert third["items_in"] == 2
        assert monitor.get_metrics()["discarded"] == 0


@pytest.mark.rule("2.4", "3.6")
async def test_take_while_flushes_what_stands_behind_and_discards_what_stands_before() -> None:
    monitor = PipelineMonitor()
    chain = (
        batch(2) >> flat_map(lambda pair: pair) >> take_while(lambda each: each < "c") >> batch(3)
    )
    assert list(chain.iterate("abcdef", monitor=monitor)) == [["a", "b"]]
    assert monitor.get_metrics()["discarded"] == 1  # "d": it was expanded, and never taken
    both = flat_map(this_and_next) >> take_while(below_three) >> take(5)
    assert await outputs_of(both, [1, 1, 2, 0]) == [1, 2, 1, 2, 2]


@pytest.mark.rule("2.4", "6.8")
async def test_an_item_at_which_take_while_fails_is_treated_and_ends_nothing() -> None:
    def below_four(item: int) -> bool:
        if item == 1:
            raise ValueError(item)
        return item < 4

    async def later(item: int) -> bool:
        return below_four(item)

    skipping = StreamConfig(on_error="skip")
    for predicate in (below_four, later):
        chain = take_while(predicate).with_config(skipping) >> batch(2)
        assert await outputs_of(chain, range(9)) == [[0, 2], [3]]
    with pytest.raises(StreamError, match="take_while"):
        list(take_while(below_four).iterate(range(9)))


@pytest.mark.rule("2.4", "3.6")
async def test_take_while_ends_what_reads_ahead_of_it() -> None:
    buffered = map(whole).with_config(BackpressureConfig(max_buffer_size=2))
    chain = buffered >> take_while(below_three).with_config(BackpressureConfig()) >> batch(9)
    assert await outputs_of(chain, iter([0, 1, 2, 3, 0])) == [[0, 1, 2]]
    assert list((take_while(same) >> take_while(below_three)).iterate([2, 0, 1])) == [2]


@pytest.mark.rule("2.5")
async def test_functions_stand_on_either_side() -> None:
    def parse(text: str) -> int:
        return int(text)

    async def slow(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    assert list((parse >> Double()).iterate("12")) == [2, 4]
    assert list((Double() >> str).iterate([1])) == ["2"]
    assert isinstance(slow >> Double(), AsyncPipeline)
    assert await outputs_of(parse >> Double() >> slow, "12") == [3, 5]


@pytest.mark.rule("2.5")
async def test_pipe_makes_a_pipe_of_a_function() -> None:
    @pipe
    def double(data: int) -> int:
        return 2 * data

    @pipe
    async def slow(data: int) -> int:
        return data + 1

    assert double(4) == 8
    assert await slow(4) == 5
    assert (str(double), str(slow)) == ("double", "slow")
    assert await outputs_of(double >> slow, [1]) == [3]
    with pytest.raises(TypeError, match="3 of type int cannot be called"):
        pipe(3)  # type: ignore[call-overload]  # the wrong argument is the test


@pytest.mark.rule("2.5")
async def test_callables_are_classified_by_their_call() -> None:
    class Slow:
        async def __call__(self, data: int) -> int:
            return data + 1

    class Quick:
        def __call__(self, data: int) -> int:
            return data + 1

    async def add(one: int, other: int) -> int:
        return one + other

    assert isinstance(Double() >> Slow(), AsyncPipeline)
    assert isinstance(Double() >> Quick(), SyncPipeline)
    chain = Double() >> Slow() >> Quick() >> partial(add, 100)
    assert await outputs_of(chain, [1]) == [104]
    assert chain.pipes[1].name == "Slow"


@pytest.mark.rule("2.5")
async def test_a_sync_callable_that_gives_an_awaitable_is_an_error_that_says_so() -> None:
    async def slow(data: int) -> int:
        return data

    hidden = map(lambda data: slow(data))
    for start in (hidden.iterate, hidden.stream):
        run = start([1])
        with pytest.raises(StreamError, match=r"<lambda> is sync, but gave an awaitable") as caught:
            await anext(run) if hasattr(run, "__anext__") else next(run)
        assert isinstance(caught.value.error, TypeError)


@pytest.mark.rule("2.5")
async def test_a_sync_callable_in_a_thread_may_not_give_an_awaitable_either() -> None:
    hidden = map(lambda data: SlowDouble().process(data)).concurrent(2, threads=True)
    with pytest.raises(StreamError, match=r"<lambda> is sync, but gave an awaitable"):
        await outputs_of(hidden, [1])


@pytest.mark.rule("2.5")
def test_a_sync_flat_map_that_gives_an_awaitable_is_an_error_that_says_so() -> None:
    def hidden(item: int) -> Any:
        return SlowUpTo().expand(item)

    with pytest.raises(StreamError, match="flat_map is sync, but gave an awaitable"):
        list(flat_map(hidden).iterate([1]))


@pytest.mark.rule("2.5")
def test_two_bare_functions_cannot_be_joined() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        len >> str  # type: ignore[operator]


@pytest.mark.rule("2.6")
def test_a_class_instead_of_an_instance() -> None:
    with pytest.raises(TypeError, match=r"did you mean Double\(\)\?"):
        Double() >> Double  # type: ignore[operator]
    with pytest.raises(TypeError, match=r"did you mean Double\(\)\?"):
        Double >> Double()  # type: ignore[operator]
    with pytest.raises(TypeError, match=r"did you mean Double\(\)\?"):
        SyncPipeline([Double])


@pytest.mark.rule("2.6")
@pytest.mark.parametrize("wrong", [3, "text", None, [Double()]])
def test_what_is_no_pipe_is_named_with_its_type(wrong: Any) -> None:
    kind = type(wrong).__name__
    joins: list[Callable[[], object]] = [
        lambda: Double() >> wrong,
        lambda: wrong >> Double(),
        lambda: Double().then(wrong),
    ]
    for join in joins:
        with pytest.raises(TypeError, match=f"of type {kind} is no pipe"):
            join()


@pytest.mark.rule("2.7")
async def test_none_is_an_item() -> None:
    maybe = map({"a": 1}.get)
    assert list((maybe >> batch(2)).iterate("abc")) == [[1, None], [None]]
    assert await outputs_of(maybe >> sliding(2), "ab") == [[1, None]]
    config = StreamConfig(retry_attempts=2)  # says nothing of None, whatever the default
    assert list(maybe.iterate("ab", config=config)) == [1, None]


@pytest.mark.rule("2.7")
async def test_none_from_the_source_is_an_item() -> None:
    assert list(map(str).iterate([1, None, 2])) == ["1", "None", "2"]
    assert await outputs_of(map(str), in_turn([1, None, 2])) == ["1", "None", "2"]  # type: ignore[arg-type]  # async


@pytest.mark.rule("2.7")
def test_only_none_is_dropped() -> None:
    config = StreamConfig(skip_none=True)
    same = map(lambda item: item).with_config(config)
    assert list(same.iterate([0, "", None, [], False])) == [0, "", [], False]


@pytest.mark.rule("2.7")
def test_none_is_dropped_where_it_was_asked_for() -> None:
    monitor = PipelineMonitor()
    maybe = map({"a": 1}.get)
    config = StreamConfig(skip_none=True)
    assert list(maybe.iterate("abca", config=config, monitor=monitor)) == [1, 1]
    assert monitor.get_metrics()["filtered"] == 2
    assert list((maybe >> drop_none()).iterate("ab")) == [1]


@pytest.mark.rule("2.7")
def test_a_filter_drops_none_whatever_it_says_of_it() -> None:
    config = StreamConfig(skip_none=True)
    assert list(filter(lambda _: True).with_config(config).iterate([1, None, 2])) == [1, 2]


@pytest.mark.rule("2.7")
async def test_skip_none_drops_outputs_of_every_kind_of_stage() -> None:
    config = StreamConfig(skip_none=True)

    class Echo(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in stream:
                yield item

    class Nothing(BatchStreamPipe[Any, None]):
        def process_batch(self, batch: list[Any]) -> None:
            return None

    assert await outputs_of(flat_map(lambda item: [item, None]).with_config(config), [1]) == [1]
    assert await outputs_of(Echo(config), [1, None, 2]) == [1, 2]
    assert await outputs_of(Nothing(2, config=config), [1, 2, 3]) == []


@pytest.mark.rule("2.8")
def test_joining_is_associative() -> None:
    a, b, c = Double(), Odd(), UpTo()
    assert ((a >> b) >> c).stages == (a >> (b >> c)).stages
    assert a.then(b).then(c).stages == (a >> b >> c).stages
    slow = SlowDouble()
    assert slow.then(b).stages == (slow >> b).stages
    assert (a >> b >> c).pipes == [a, b, c]


@pytest.mark.rule("2.8")
async def test_the_kind_of_a_chain() -> None:
    assert isinstance(Double() >> Odd(), SyncPipeline)
    assert isinstance(Double() >> SlowOdd() >> Odd(), AsyncPipeline)
    assert isinstance(Double() >> Increment(), AsyncPipeline)
    assert await outputs_of(SlowDouble(), [1]) == [2]  # a lone pipe is a chain of one stage
    chain: Any = map(int)
    chain >>= Double()
    assert list(chain.iterate(["7"])) == [14]


@pytest.mark.rule("2.8")
def test_a_sync_pipeline_cannot_hold_an_async_stage() -> None:
    with pytest.raises(TypeError, match="'SlowDouble' is async: a SyncPipeline cannot hold it"):
        SyncPipeline([Double(), SlowDouble()])


@pytest.mark.rule("2.9")
def test_with_config_replaces_a_pipes_own_settings() -> None:
    class Own(FailsOn):
        def __init__(self) -> None:
            SyncBasePipe.__init__(self, config=StreamConfig(on_error="skip"))
            self.bad, self.calls = (2,), []

    assert list(Own().iterate([1, 2, 3])) == [1, 3]
    with pytest.raises(StreamError):
        list(Own().with_config(StreamConfig(skip_none=True)).iterate([1, 2, 3]))


@pytest.mark.rule("2.9")
def test_on_a_chain_with_config_reaches_the_stages_that_have_none() -> None:
    skip = StreamConfig(on_error="skip")
    raising = StreamConfig(skip_none=True)
    chain = (FailsOn(2) >> FailsOn(3).with_config(raising)).with_config(skip)
    assert list(chain.iterate([1, 2])) == [1]
    with pytest.raises(StreamError, match="bad 3"):
        list(chain.iterate([3]))


@pytest.mark.rule("2.9")
def test_on_a_chain_with_config_leaves_a_pipes_own_settings_alone() -> None:
    class Own(FailsOn):
        def __init__(self) -> None:
            SyncBasePipe.__init__(self, config=StreamConfig(on_error="skip"))
            self.bad, self.calls = (2,), []

    chain = (Own() >> Double()).with_config(StreamConfig(skip_none=True))
    assert list(chain.iterate([1, 2, 3])) == [2, 6]


@pytest.mark.rule("2.9")
async def test_a_stage_keeps_its_settings_when_it_becomes_concurrent() -> None:
    lenient = FailsOn(2).with_config(StreamConfig(on_error="skip"))
    assert await outputs_of(lenient.concurrent(2, threads=True), [1, 2, 3]) == [1, 3]


@pytest.mark.rule("2.9")
def test_settings_travel_with_their_stages() -> None:
    lenient = FailsOn(2).with_config(StreamConfig(on_error="skip"))
    assert list((Double() >> lenient >> Double()).iterate([1, 2])) == [8]


@pytest.mark.rule("2.9")
def test_only_the_monitor_of_the_object_that_is_run_observes() -> None:
    part, whole = PipelineMonitor(), PipelineMonitor()
    first = Double().set_monitor(part)
    chain = (first >> Odd()).set_monitor(whole)
    list(chain.iterate([1, 2]))
    assert part.get_metrics()["items_in"] == 0
    assert whole.get_metrics()["items_in"] == 2
    list((first >> Odd()).iterate([1, 2]))
    assert part.get_metrics()["items_in"] == 0


@pytest.mark.rule("2.10")
async def test_one_item_through_a_chain() -> None:
    chain = map(int) >> Double()
    assert chain("4") == chain.process("4") == 8
    slow = chain >> SlowDouble() >> Increment() >> StreamPipe[int, int]()
    assert await slow("4") == await slow.process("4") == 17
    assert await (chain >> SlowDouble().concurrent(3))("1") == 4
    assert await (map(int).concurrent(3, threads=True) >> Double())("1") == 2


@pytest.mark.rule("2.10")
async def test_one_item_through_anything_else_is_refused() -> None:
    for chain in (map(int) >> Odd(), map(int) >> batch(2), map(int) >> take(1)):
        with pytest.raises(TypeError, match=r"stage 2 .* use \.stream\(source\)"):
            chain("1")
    with pytest.raises(TypeError, match=r"use \.stream\(source\)"):
        await (map(int) >> Pairs())("1")
    with pytest.raises(TypeError, match=r"use \.stream\(source\)"):
        await Pairs().process(1)


@pytest.mark.rule("2.10")
async def test_there_is_nothing_to_skip_to_for_one_item() -> None:
    skipping = FailsOn(1).with_config(StreamConfig(on_error="skip"))
    with pytest.raises(PipelineError, match="bad 1") as caught:
        skipping(1)
    error = caught.value
    assert (error.pipe, error.stage, error.item) == ("FailsOn", 0, 1)
    assert error.__cause__ is error.error
    with pytest.raises(PipelineError):
        await (skipping >> SlowDouble())(1)


@pytest.mark.rule("2.10")
async def test_one_item_is_retried_and_handled_as_in_a_stream() -> None:
    class Handled(AsyncBasePipe[int, int]):
        tries = 0

        async def process(self, data: int) -> int:
            self.tries += 1
            raise ValueError

        async def handle_error(self, error: Exception, data: int) -> int:
            return -data

    each = Handled()
    chain = each.with_config(StreamConfig(retry_attempts=3, retry_delay=0.0))
    assert await chain(5) == -5
    assert each.tries == 3


def test_calling_a_pipe_is_calling_its_process() -> None:
    with pytest.raises(ValueError, match="bad 1"):  # the user's own method: nothing is wrapped
        FailsOn(1)(1)


@pytest.mark.rule("2.9")
async def test_settings_of_one_stage_are_replaced_and_do_not_add_up() -> None:
    letters: list[object] = []
    retry = StreamConfig(retry_attempts=3, retry_delay=0.0)
    letter = StreamConfig(on_error=letters.append)
    failing = FailsOn(1)
    assert list(failing.with_config(retry).with_config(letter).iterate([1, 2])) == [2]
    assert (failing.calls, len(letters)) == ([1, 2], 1)
    concurrent = SlowDouble().concurrent(2).with_config(retry)
    assert concurrent.stages[0].concurrency is not None
    assert concurrent.stages[0].settings.retry is not None


@pytest.mark.rule("2.5")
def test_a_generator_function_is_no_1_to_1_stage() -> None:
    def explode(item: int) -> Iterator[int]:
        yield item

    async def explode_slowly(item: int) -> AsyncIterator[int]:
        yield item

    class Exploding(SyncBasePipe[int, Any]):
        def process(self, data: int) -> Any:
            yield data

    wrong: list[Callable[[], object]] = [
        lambda: Double() >> explode,
        lambda: Double() >> map(explode_slowly),
        lambda: Double() >> Exploding(),
        lambda: pipe(explode).iterate([1]),
        lambda: Double() >> partial(explode),
    ]
    for make in wrong:
        with pytest.raises(TypeError, match="is a generator function.*did you mean flat_map"):
            make()


@pytest.mark.rule("2.6")
def test_an_operator_that_was_not_called_is_asked_about() -> None:
    for function in (batch, drop_none, skip, take, tumbling):
        join: Any = Double()
        with pytest.raises(TypeError, match=rf"did you mean {function.__name__}\(\.\.\.\)\?"):
            join >> function


@pytest.mark.rule("2.8")
async def test_a_chain_tells_what_it_is_made_of() -> None:
    assert repr(Double() >> Odd() >> batch(2)) == "<SyncPipeline: Double >> Odd >> batch>"
    assert repr(SyncPipeline([Double()], name="sums")) == "<sums>"
    assert repr((Double() >> SlowDouble()).stream([1])) == "<Run of Double >> SlowDouble>"
    assert repr(PipelineMonitor()) == "<PipelineMonitor: nothing yet>"


def test_a_name_must_be_a_string() -> None:
    wrong: Any = 3
    with pytest.raises(TypeError, match="name must be a string, got 3 of type int"):
        Double(wrong)


@pytest.mark.rule("2.10")
async def test_what_each_stage_gave_for_a_single_item_is_known() -> None:
    first, second, slow = Double(), Double(), SlowDouble()
    sync, whole = first >> second, slow >> second
    assert sync(1) == 4
    assert await whole(2) == 8
    assert (sync.get_pipe_outputs(first), sync.get_pipe_outputs(second)) == ([2], [4])
    assert (whole.get_pipe_outputs(slow), whole.get_pipe_outputs(second)) == ([4], [8])
