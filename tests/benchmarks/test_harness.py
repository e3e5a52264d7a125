"""Benchmarks are timed, told in one table, selected and written as JSON."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.case import Case, Timing, measure
from benchmarks.harness import main
from benchmarks.table import Table, grouped


def sleeping(seconds: float) -> Callable[[], Callable[[], str]]:
    return lambda: lambda: (time.sleep(seconds), "done")[1]


def failing() -> Callable[[], Any]:
    raise ValueError("no such kernel\nand more")


SECTIONS = {
    "Retina": [Case("with spikes", sleeping(0.0), 10, 1.0, "510", "730"), Case("currents", sleeping(0.0), 10)],
    "Models": [Case("LN", sleeping(0.0), 10, 1e12, by_hand=sleeping(0.0), remark=lambda answer: f"it is {answer}")],
}
FAST = ["--seconds", "0.01"]


def test_rates_are_frames_per_second_of_the_median_and_the_best_call() -> None:
    pauses = iter([0.0, 0.0, 0.004, 0.02, 0.004, 0.02, 0.02])  # the first two warm up
    timing = measure(Case("pause", lambda: lambda: time.sleep(next(pauses)), 10), seconds=1e-9)
    assert timing.calls == 5
    assert timing.median <= 10 / 0.02 < timing.best <= 10 / 0.004


def test_work_by_hand_is_timed_in_turns_with_the_case() -> None:
    calls: list[str] = []
    case = Case("one", lambda: lambda: calls.append("ours"), 1, by_hand=lambda: lambda: calls.append("hand"))
    timing = measure(case, seconds=1e-9, warm_up=1)
    assert calls == ["ours", "hand"] * 6
    assert timing.by_hand is not None and timing.by_hand > 0


def test_chunks_are_timed_in_turns_with_one_call_and_told_as_what_they_cost_more() -> None:
    case = Case("chunks", sleeping(0.01), 10, one_call=sleeping(0.0))
    timing = measure(case, seconds=1e-9)
    assert timing.overhead is not None and timing.overhead > 0.0
    told = {1.05: ("5.0% longer", True), 1.2: ("20.0% longer", False), 0.9: ("10.0% shorter", True)}
    for rate, (words, reached) in told.items():
        timing = Timing(case, median=100.0, one_call=100.0 * rate)
        assert timing.reached is reached
        assert f"{words} than in one call (wanted: at most 10%)" in Table([case]).line(timing)
    assert Timing(case, error="it broke").reached is False and Timing(case).overhead is None


def test_a_slow_case_is_called_once() -> None:
    calls: list[int] = []
    timing = measure(Case("long", lambda: lambda: calls.append(1), 1, slow=True), seconds=60.0)
    assert len(calls) == timing.calls == 1


def test_making_the_data_is_not_timed() -> None:
    def prepare() -> Callable[[], None]:
        time.sleep(0.1)
        return lambda: None

    assert measure(Case("one", prepare, 1), seconds=1e-9).median > 10


def test_a_table_has_a_column_for_each_number() -> None:
    case = Case("with spikes", sleeping(0.0), 10, 10_000, "510", "730")
    table = Table([case])
    above, names, rule = table.header().splitlines()
    line = table.line(Timing(case, median=12_345.6, best=13_000.0, by_hand=999.0))
    assert len(line) == len(names) == len(rule) == len(above)
    for name, text in {"median": "12 346", "best": "13 000", "wanted": "10 000", "Virtual Retina": "730"}.items():
        end = names.index(name) + len(name)
        assert line[:end].endswith(f" {text}"), name
    assert line.endswith(" 999") and " reached " in line


@pytest.mark.parametrize(("median", "reached"), [(10_000.0, True), (9_999.0, False)])
def test_what_is_wanted_is_reached_or_not(median: float, reached: bool) -> None:
    timing = Timing(Case("one", sleeping(0.0), 1, 10_000.0), median=median, best=20_000.0)
    assert timing.reached is reached
    assert ("reached" in Table([timing.case]).line(timing)) is reached
    assert (": one." in Table([]).summary([timing])) is not reached
    assert Table([]).summary([]) == ""


def test_thousands_stand_apart() -> None:
    assert [grouped(rate) for rate in (None, 0.0, 999.4, 1234567.0)] == ["", "0", "999", "1 234 567"]


def run(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str], sections: dict[str, list[Case]] = SECTIONS
) -> tuple[int, str]:
    status = main(sections, [*arguments])
    return status, capsys.readouterr().out


def test_all_files_share_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    status, shown = run(FAST, capsys)
    assert status == 0
    assert shown.count("median") == 1
    order = [shown.index(text) for text in ("\nRetina\n", "  with spikes", "  currents", "\nModels\n", "  LN", "it is")]
    assert order == sorted(order)
    assert "1 of 2 cases are as fast as wanted.\nBelow: LN." in shown


@pytest.mark.parametrize(("words", "kept"), [("spikes", 1), ("RETINA", 2), ("Models: LN", 1)])
def test_only_some_are_run(words: str, kept: int, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run([*FAST, "--only", words, "--json", str(tmp_path / "some.json")], capsys)
    assert len(json.loads((tmp_path / "some.json").read_text())["cases"]) == kept


def test_cases_can_be_listed_without_running_them(capsys: pytest.CaptureFixture[str]) -> None:
    status, shown = run(["--list"], capsys, {"Broken": [Case("one", failing, 1)]})
    assert (status, shown) == (0, "Broken: one\n")


@pytest.mark.parametrize("arguments", [["--only", "nothing like it"], ["--seconds", "0"], ["--seconds", "nan"]])
def test_what_cannot_be_run_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(SECTIONS, arguments)
    assert stop.value.code == 2
    assert arguments[1] in capsys.readouterr().err


def test_json_holds_every_number_and_the_machine(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run([*FAST, "--json", str(tmp_path / "all.json")], capsys)
    results = json.loads((tmp_path / "all.json").read_text())
    assert results["machine"]["threads"] >= 1 and results["machine"]["processor"]
    spikes, currents, ln = results["cases"]
    assert spikes["section"] == "Retina" and spikes["case"] == "with spikes"
    assert spikes["others"] == {"convis": "510", "virtual_retina": "730", "torch_by_hand": None}
    assert spikes["reached"] is True and currents["reached"] is None and ln["reached"] is False
    assert ln["others"]["torch_by_hand"] > 0 and ln["remark"] == "it is done"
    assert all(case["median"] <= case["best"] for case in results["cases"])


def test_a_case_that_fails_leaves_the_others_theirs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sections = {"All": [Case("broken", failing, 1, 1.0), Case("whole", sleeping(0.0), 1)]}
    status, shown = run([*FAST, "--json", str(tmp_path / "all.json")], capsys, sections)
    assert status == 1
    assert "failed: ValueError: no such kernel\n" in shown and "Failed: broken." in shown
    broken, whole = json.loads((tmp_path / "all.json").read_text())["cases"]
    assert broken["error"] and not broken["reached"] and whole["median"] > 0


def test_an_interrupted_run_keeps_what_it_has(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def interrupted() -> Callable[[], Any]:
        raise KeyboardInterrupt

    sections = {"All": [Case("whole", sleeping(0.0), 1), Case("long", interrupted, 1), Case("never", failing, 1)]}
    _, shown = run([*FAST, "--json", str(tmp_path / "all.json")], capsys, sections)
    assert "Interrupted" in shown and "never" not in shown
    assert [case["case"] for case in json.loads((tmp_path / "all.json").read_text())["cases"]] == ["whole"]


WHERE = "tests.benchmarks.test_harness"
CASES = [
    Case("process", lambda: lambda: os.getpid(), 10, remark=str),
    Case("the same process", lambda: lambda: os.getpid(), 10, remark=str),
    Case("broken", failing, 1),
    Case("killed", lambda: lambda: os._exit(1), 1),
    Case("after it", sleeping(0.0), 1),
]


def test_a_section_has_a_process_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = [*FAST, "--json", str(tmp_path / "all.json")]
    sections = {"Here": CASES[:1], "There": CASES}
    assert main(sections, arguments, modules={"There": WHERE}) == 1
    here, there, same, broken, killed, after = json.loads((tmp_path / "all.json").read_text())["cases"]
    assert here["remark"] == str(os.getpid()) != there["remark"] == same["remark"]
    assert there["median"] > 0 and broken["error"].startswith("ValueError: no such kernel")
    assert "died" in killed["error"] and "died" in after["error"]
    assert "  killed" in capsys.readouterr().out
