"""How figures are judged, kept and told; with made figures, as no time is measured in tests."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import figures, report, sides
from benchmarks.figures import Figures
from benchmarks.judge import AGAIN, TOLERANCE, Verdict, judge, judged_again
from benchmarks.measure import Measured, Spread, combined
from benchmarks.shapes import FAMILIES

SHAPES = sides.all_shapes()


def about(median: float, noise: float = 0.01) -> Spread:
    return Spread(median * (1 - noise), median, median * (1 + noise))


def measured(compiled: Spread, interpreted: Spread | None = None) -> Measured:
    return Measured(about(100), {"interpreted": interpreted or about(20), "compiled": compiled})


def kinds(was: Spread, now: Spread) -> list[str]:
    return [each.kind for each in judge({"five": measured(was)}, {"five": measured(now)})]


def test_the_same_is_neither_worse_nor_better() -> None:
    assert kinds(about(1.2), about(1.2)) == []


def test_what_has_risen_beyond_noise_is_worse() -> None:
    [verdict] = judge({"five": measured(about(1.2))}, {"five": measured(about(1.4))})
    assert verdict.fails
    assert (
        str(verdict) == "five: compiled is worse: 1.40 (1.39-1.41), committed is 1.20 (1.19-1.21)"
    )


def test_what_has_fallen_is_better_and_does_not_fail() -> None:
    [verdict] = judge({"five": measured(about(1.4))}, {"five": measured(about(1.2))})
    assert (verdict.kind, verdict.fails) == ("better", False)


def test_quarters_that_touch_are_noise() -> None:
    assert kinds(about(1.2, noise=0.1), about(1.4, noise=0.1)) == []


def test_so_is_a_small_rise_of_quiet_rounds() -> None:
    risen = 1.2 * (1 + TOLERANCE)
    assert kinds(about(1.2, noise=0.001), about(risen - 0.01, noise=0.001)) == []
    assert kinds(about(1.2, noise=0.001), about(risen + 0.01, noise=0.001)) == ["worse"]


def test_each_mode_is_judged() -> None:
    was = measured(about(1.2), interpreted=about(20))
    now = measured(about(1.0), interpreted=about(30))
    found = judge({"five": was}, {"five": now})
    assert [(each.mode, each.kind) for each in found] == [
        ("interpreted", "worse"),
        ("compiled", "better"),
    ]


def test_a_shape_that_is_gone_fails_and_one_that_is_new_does_not() -> None:
    found = judge({"gone": measured(about(1))}, {"new": measured(about(1))})
    assert [(each.kind, each.shape, each.fails) for each in found] == [
        ("missing", "gone", True),
        ("new", "new", False),
    ]
    assert [str(each) for each in found] == [
        "gone: has a committed figure, and was not measured",
        "new: has no committed figure yet",
    ]


def test_passes_have_the_median_of_all_and_the_outermost_quarters() -> None:
    passes = [measured(Spread(1.0, 1.1, 1.2)), measured(Spread(1.3, 1.4, 1.5))]
    found = combined([*passes, measured(Spread(1.1, 1.2, 1.9))])
    assert found.ratios["compiled"] == Spread(1.0, 1.2, 1.9)


class Again:
    """Measures again: gives what it was told to, and writes down what it was asked for."""

    def __init__(self, *ratios: dict[str, float]) -> None:
        self.ratios = iter(ratios)
        self.asked: list[list[str]] = []

    def __call__(self, names: Collection[str]) -> dict[str, Measured]:
        self.asked.append(list(names))
        ratios = next(self.ratios)
        return {name: measured(about(ratios[name])) for name in names}


COMMITTED = {"one": measured(about(1.0)), "two": measured(about(1.0))}


def first(**ratios: float) -> list[Verdict]:
    return judge(COMMITTED, {name: measured(about(ratio)) for name, ratio in ratios.items()})


def test_what_looks_worse_once_was_noise() -> None:
    again = Again({"one": 1.0, "two": 1.5}, {"two": 1.4})
    verdicts = judged_again(COMMITTED, first(one=1.5, two=1.5), again)
    assert [(each.shape, each.kind) for each in verdicts] == [("two", "worse")]
    assert again.asked == [["one", "two"], ["two"]]
    assert len(again.asked) == AGAIN


def test_nothing_is_measured_again_if_nothing_is_worse() -> None:
    again = Again()
    verdicts = judged_again(COMMITTED, first(one=0.5, two=1.0), again)
    assert [each.kind for each in verdicts] == ["better"]
    assert again.asked == []


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    some = {"3.11": Figures("3.11.7", "0.3.0", 31, {"five": measured(about(1.25))})}
    assert figures.read(path) == {}
    figures.write(some, path)
    read = figures.read(path)
    assert read["3.11"].shapes["five"].ratios["compiled"].median == 1.25
    figures.write(read, path)
    assert figures.read(path) == read


def test_every_shape_has_a_committed_figure_and_every_figure_a_shape() -> None:
    committed = figures.read()
    assert committed
    for each in committed.values():
        assert set(each.shapes) == {shape.name for shape in SHAPES}


@pytest.mark.parametrize(
    ("path", "name", "inside"), report.documented(SHAPES, figures.read()), ids=lambda each: None
)
def test_the_documents_say_what_the_figures_say(path: Path, name: str, inside: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert report.block(text, name) == inside, "run: python -m benchmarks --documents"


def test_a_block_of_a_document_is_written_anew_and_nothing_else() -> None:
    text = "before\n<!-- speed: ours -->\n\nold\n\n<!-- end of speed -->\nafter\n"
    anew = report.with_block(text, "speed", r"new \1")
    assert anew == "before\n<!-- speed: ours -->\n\nnew \\1\n\n<!-- end of speed -->\nafter\n"
    assert report.block(anew, "speed") == r"new \1"


def test_no_file_of_shapes_is_forgotten() -> None:
    files = {path.stem for path in sides.FOLDER.glob("*.py") if "SHAPES = " in path.read_text()}
    assert files == set(FAMILIES)


def test_the_names_of_the_shapes_are_their_own() -> None:
    names = [shape.name for shape in SHAPES]
    assert len(set(names)) == len(names) >= 24


def run(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, ratio: float, committed: float = 1.0
) -> int:
    """Run the command, with figures that were made instead of measured."""
    each = {shape.name: measured(about(committed)) for shape in SHAPES}
    kept = {figures.this_python(): Figures("", "", 31, each)}
    monkeypatch.setattr(figures, "read", lambda: dict(kept))
    monkeypatch.setattr(figures, "write", kept.update)
    monkeypatch.setattr(command, "compile_shapes", lambda: None)
    monkeypatch.setattr(command, "measure", lambda shape, rounds: measured(about(ratio)))
    monkeypatch.setattr(
        command,
        "_measured_elsewhere",
        lambda names, rounds: {name: measured(about(ratio)) for name in names},
    )
    monkeypatch.setattr("sys.argv", ["benchmarks", *arguments])
    return command.main()


def test_the_command_prints_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "five", ratio=1.25) == 0
    out = capsys.readouterr().out
    assert "five" in out
    assert "filters" not in out


@pytest.mark.parametrize(("ratio", "code"), [(1.0, 0), (0.5, 0), (1.2, 1)])
def test_the_check_fails_only_for_what_is_worse(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ratio: float, code: int
) -> None:
    assert run(monkeypatch, "--check", ratio=ratio) == code
    out = capsys.readouterr().out
    assert ("five: compiled is worse" in out) == (code == 1)


def test_a_check_of_some_shapes_misses_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "five", "--check", ratio=1.0) == 0


def test_a_shape_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "fiv", ratio=1.0) == 2
    assert capsys.readouterr().err.startswith("no shape is called fiv; there are ")


def test_without_figures_of_this_python_there_is_nothing_to_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figures, "this_python", lambda: "2.7")
    monkeypatch.setattr(figures, "read", dict)
    monkeypatch.setattr(command, "compile_shapes", lambda: None)
    monkeypatch.setattr(command, "measure", lambda shape, rounds: measured(about(1.0)))
    monkeypatch.setattr("sys.argv", ["benchmarks", "five", "--check"])
    assert command.main() == 2
    assert (
        "no committed figures of Python 2.7: make bench-check UPDATE=1" in capsys.readouterr().out
    )


def test_an_update_keeps_what_was_not_measured_and_writes_the_documents(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, path in (("PERFORMANCE", report.PERFORMANCE), ("README", report.README)):
        copy = tmp_path / path.name
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        monkeypatch.setattr(report, name, copy)
    assert run(monkeypatch, "five", "--update", ratio=1.25, committed=7.5) == 0
    shapes = figures.read()[figures.this_python()].shapes
    assert shapes["five"].ratios["compiled"].median == 1.25
    assert shapes["filters"].ratios["compiled"].median == 7.5
    assert set(shapes) == {shape.name for shape in SHAPES}
    assert "| 1.25 (1.24-1.26) |" in report.PERFORMANCE.read_text(encoding="utf-8")
    assert "costs 1.2 to 7.5 times" in report.README.read_text(encoding="utf-8")
