"""What a lambda gives where mypy does not know what comes to it: that is a guess, and no type.

Of `"x" if item > 3 else item` mypy keeps the `str` then, of `(item, 1)` a `tuple[Never, int]`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rivusio.cli import main
from tests.places import ROOT

HEAD = """\
from typing import Any, Generic, TypeVar
from rivusio import SlidingWindowPipe, StreamConfig, SyncBasePipe
from rivusio import batch, flat_map, map, pipe, take

T = TypeVar("T")
SETTINGS = StreamConfig()

class Totals(SlidingWindowPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return sum(window)

class Paired(SyncBasePipe[int, tuple[T, str]], Generic[T]):
    def process(self, data: int) -> tuple[T, str]:
        return data, "x"  # type: ignore[return-value]

@pipe
def one(item: int) -> int:
    return item + 1

def anything(item: int) -> Any:
    return item

def word(item: int) -> str:
    return str(item)

"""
PAIRED = 'map(lambda item: ("x" if item > 3 else item, 1)).with_config(SETTINGS)'
GUESSES = {  # the chain, and what its last stage gives
    "in_a_tuple": ("map(lambda item: (item, 1)).with_config(SETTINGS) >> take(5)", "Any"),
    "in_a_list": ("map(lambda item: [item]).with_config(SETTINGS) >> take(5)", "Any"),
    "deep": ("map(lambda item: ([item], 1)).with_config(SETTINGS) >> take(5)", "Any"),
    "called": ("map(lambda item: lambda: item).with_config(SETTINGS) >> take(5)", "Any"),
    "flat": ("flat_map(lambda item: [(item, 1)]).with_config(SETTINGS) >> take(5)", "Any"),
    "half": (
        'map(lambda item: "x" if item > 3 else item).with_config(SETTINGS) >> take(5)',
        "Any",
    ),
    "none": (
        "map(lambda item: (None if item > 3 else item, 1)).with_config(SETTINGS) >> take(5)",
        "Any",
    ),
    "batched": (
        f"{PAIRED} >> batch(2) >> map(lambda items: items[0]) >> take(5) >> batch(2)",
        "list[Any]",
    ),
    "function": (
        f"{PAIRED} >> (lambda pair: pair) >> take(5)",
        "Any",
    ),
    "items_of_nobody": (
        'take(9).with_config(SETTINGS) >> map(lambda item: "x" if item > 3 else item) >> take(5)',
        "Any",
    ),
    "in_brackets": (
        '(map(lambda item: "x" if item > 3 else item) >> take(9)) >> take(5)',
        "Any",
    ),
    "generic": (
        'Paired() >> map(lambda pair: ("x" if pair[0] > 3 else pair[0], 1)) >> take(5)',
        "Any",
    ),
    "behind_any": ('anything >> map(lambda item: "x" if item > 3 else item)', "Any"),
    "none_behind_any": ("anything >> map(lambda item: None if item > 3 else item)", "Any"),
    # What follows is known all the same, and so is the rest of a type.
    "rest": ("Paired() >> take(5)", "tuple[Any, str]"),
    "its_own": ("map(lambda _: 1).with_config(SETTINGS) >> map(word)", "str"),
    "known_again": ("map(lambda item: (item, 1)).with_config(SETTINGS) >> map(len)", "int"),
    "unused": ("take(9).with_config(SETTINGS) >> map(lambda _: 1.5) >> take(5)", "float"),
    "told_by_the_left": ('map(lambda item: "x" if item > 3 else item) >> take(5)', "str | int"),
}


@pytest.fixture(scope="module")
def gives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the last stages of all chains give, of a file that compiles without an error."""
    chains = [
        f"{kind}_{name} = {first} >> {rest}\n"
        for name, (rest, _) in GUESSES.items()
        for kind, first in (("window", "Totals(3, 5)"), ("item", "one"))
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("guesses"))
        patch.setenv("MYPY_CACHE_DIR", str(ROOT / ".mypy_cache"))
        Path("guesses.py").write_text(HEAD + "".join(chains), encoding="utf-8")
        done = CliRunner().invoke(main, ["compile", "guesses.py"])
        assert "error" not in done.stderr
        assert done.exit_code == 0
        shown = CliRunner().invoke(main, ["explain", "--output", "json", "guesses.py"])
        told = json.loads(shown.stdout)
    return {chain["name"]: chain["stages"][-1]["gives"] for chain in told["chains"]}


@pytest.mark.parametrize("kind", ["window", "item"])
@pytest.mark.parametrize("name", GUESSES)
def test_what_mypy_guesses_is_no_type(gives: dict[str, str], kind: str, name: str) -> None:
    assert gives[f"{kind}_{name}"] == GUESSES[name][1]
