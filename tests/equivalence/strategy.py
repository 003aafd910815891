"""The same random chains as a hypothesis strategy, which shrinks them in its own way."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.equivalence.chains import Case, Ends, chain, possible_ends


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Give a chain with one run of it."""
    made = chain(draw(st.randoms(use_true_random=False)))
    source, consumer = draw(st.sampled_from(sorted(possible_ends(made))))
    seed = draw(st.integers(0, 1_000_000))
    return Case(made, (Ends(source, consumer, draw(st.booleans()), seed),))
