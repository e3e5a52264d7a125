"""A fit that is cut anywhere and resumed equals one that is not, to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import convis_core as convis
from convis_core.errors import FitError
from convis_core.loops.bookmark import BestPass
from convis_core.loops.checkpoint import resume_checkpoint, save_checkpoint
from convis_core.loops.early_stopping import stop_early
from convis_core.loops.optimizers import optimizer_names
from convis_core.loops.regularisers import L2
from convis_core.tensors import cells_as_channels
from tests.conftest import ROOT
from tests.core.interrupted import RESPONSE, STIMULUS, Case, Unsteady, equal

ADAM: tuple[str, dict[str, Any]] = ("Adam", {"lr": 0.01})
LBFGS: tuple[str, dict[str, Any]] = ("LBFGS", {"max_iter": 3, "lr": 0.1})
SGD: tuple[str, dict[str, Any]] = ("SGD", {"lr": 1e-5, "momentum": 0.9})
KINDS = [ADAM, LBFGS, SGD, ("NAdam", {"lr": 0.003}), ("BoundedLBFGS", {"max_iter": 2})]


def assert_resumes(case: Case, folder: Path, cuts: list[int]) -> None:
    """Interrupt a fit after each of some numbers of updates; all parts together are the whole."""
    whole, path = case.whole(), folder / "fit.pt"
    parts, step = [case.first(path, cuts[0])], cuts[0]
    for cut in [*cuts[1:], 10**9]:
        parts.append(case.next(path, step, cut))
        step = cut
    assert [row for part in parts for row in part.seen] == whole.seen
    assert equal(parts[-1].left, whole.left)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Case, list[int]]:
    flag = st.booleans()
    lengths = draw(st.sampled_from([(60,), (20, 40), (13, 30, 17), (7, 7)]))
    dt, epochs, own = draw(st.integers(9, 60)), draw(st.integers(1, 4)), draw(flag)
    most = epochs * sum(-(-n // dt) for n in lengths)
    changes = draw(st.sets(st.integers(1, most), max_size=0 if own else 3))
    options: dict[str, Any] = {}
    if draw(flag):
        options["t_skip"] = draw(st.integers(1, 6))
    if draw(flag):
        options["clip"] = draw(st.sampled_from([0.1, 10.0]))
    case = Case(
        lengths=lengths,
        dt=dt,
        epochs=epochs,
        optimizers={first: draw(st.sampled_from(KINDS)) for first in sorted({0, *changes})},
        schedule=None if changes else draw(st.sampled_from([None, "exponential", "stepwise"])),
        own_optimizer=own,
        options=options,
        **{name: draw(flag) for name in ("unsteady", "double", "grouped", "frozen", "penalised", "weighted", "mean")},
    )
    updates = len(case.whole().seen)
    return case, sorted(draw(st.sets(st.integers(1, updates), min_size=1, max_size=3)))


@settings(max_examples=40)
@given(cases())
def test_a_fit_may_be_cut_anywhere(cut_case: tuple[Case, list[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert_resumes(cut_case[0], Path(folder), cut_case[1])


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("name", [name for name in optimizer_names() if name not in ("Muon", "SparseAdam")])
def test_every_optimiser_goes_on(tmp_path: Path, name: str, double: bool) -> None:
    case = Case(optimizers={0: (name, {"lr": 1e-4})}, double=double, epochs=4)
    assert_resumes(case, tmp_path, [1 if name.endswith("LBFGS") else 5])


PLAN = [ADAM, LBFGS, ADAM, SGD]


@pytest.mark.parametrize("cut", range(1, 10))
def test_optimisers_that_go_differently_far_lead_to_the_same_place(tmp_path: Path, cut: int) -> None:
    """Three chunks a pass: LBFGS takes two of the first and all of the second, so updates do not count chunks."""
    case = Case(epochs=5, optimizers=dict(zip((0, 1, 3, 5), PLAN, strict=True)))
    assert [row[1:4] for row in case.whole().seen] == [
        *[(0, 0, 0), (0, 0, 20), (1, 0, 0)],
        *[(2, 0, 0), (2, 0, 20), (2, 0, 40), (3, 0, 0), (3, 0, 20), (3, 0, 40), (4, 0, 0), (4, 0, 20), (4, 0, 40)],
    ]
    assert_resumes(case, tmp_path, [cut])


def test_another_process_goes_on(tmp_path: Path) -> None:
    """One that knows nothing but the file: no module, generator or memory is shared with the first part."""
    everything: dict[str, Any] = dict.fromkeys(("unsteady", "grouped", "penalised", "weighted"), True)
    everything["lengths"] = (13, 30, 17)
    exactly: dict[str, Any] = dict.fromkeys(("frozen", "double", "own_optimizer", "mean"), True)
    made = [
        (Case(optimizers={0: ADAM, 4: LBFGS, 6: ADAM}, options={"clip": 1.0}, **everything), 5),
        (Case(optimizers={0: LBFGS}, epochs=4, options={"t_skip": 3}, schedule="stepwise", **everything), 2),
        (Case(optimizers={0: KINDS[3]}, schedule="exponential", **exactly), 4),
    ]
    wholes = []
    for number, (case, cut) in enumerate(made):
        wholes.append((case.first(tmp_path / f"{number}.pt", cut).seen, case.whole()))
        torch.save((case, cut), tmp_path / f"{number}.case")
    command = [sys.executable, "-m", "tests.core.interrupted", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for number, (before, whole) in enumerate(wholes):
        seen, left = torch.load(tmp_path / f"{number}.left", weights_only=False)
        assert before + seen == whole.seen
        assert equal(left, whole.left)


def test_a_fit_goes_on_in_memory_too() -> None:
    """And not from the model's own state, which is left as it was, but from that at the bookmark."""
    case = Case(epochs=2)
    whole = case.whole()
    part = case.begun(lambda *_: None)
    made = next(step for step in part.steps() if step.step == 3)
    part.updates.close()  # type: ignore[attr-defined]
    part.model.run(STIMULUS[:7])
    mine = part.model.get_state()
    rest = list(part.model.fit(STIMULUS, RESPONSE, dt=20, epochs=2, resume=made.bookmark))
    assert [step.loss for step in rest] == [row[5] for row in whole.seen[4:]]
    assert equal(part.model.state_dict(), whole.model.state_dict()) and equal(part.model.get_state(), mine)


def test_a_part_may_be_fitted_in_other_chunks_and_with_other_penalties() -> None:
    case = Case()
    run = case.begun(lambda *_: None)
    made = next(run.steps())
    run.updates.close()  # type: ignore[attr-defined]
    options: dict[str, Any] = {"epochs": 2, "resume": made.bookmark, "penalties": (L2(1e3),)}
    rest = list(run.model.fit(STIMULUS, RESPONSE, dt=30, **options))
    assert [(step.epoch, step.start, step.stop) for step in rest] == [(0, 20, 50), (0, 50, 60), (1, 0, 30), (1, 30, 60)]
    plain = case.begun(lambda *_: None)
    list(plain.steps())
    assert rest[0].loss > plain.seen[1][5]


def test_a_model_hears_the_trial_in_which_it_goes_on(tmp_path: Path) -> None:
    """The spikes of each trial are its own, and a fit that begins in the second has not begun with the first."""
    counts = [np.random.default_rng(k).poisson(0.5, (n, 1)) for k, n in enumerate((20, 40))]
    films, targets = np.split(STIMULUS, [20]), [cells_as_channels(trial) for trial in counts]

    def model() -> Any:
        torch.manual_seed(0)
        made = convis.models.GLM(kernel_dim=(2, 5, 5), n_history=6, n_basis=3).given(counts)
        made.set_optimizer.Adam(lr=0.01)
        return made

    whole, first, again = model(), model(), model()
    options: dict[str, Any] = {"dt": 15, "epochs": 2, "loss_fn": whole.likelihood}
    losses = [step.loss for step in whole.fit(films, targets, **options)]
    for step in first.fit(films, targets, **options):
        if (step.trial, step.start) == (1, 0):
            save_checkpoint(tmp_path / "fit.pt", first, step)
            break
    bookmark = resume_checkpoint(tmp_path / "fit.pt", again)
    assert (bookmark.trial, bookmark.start, bookmark.step) == (1, 15, 3)
    assert [step.loss for step in again.fit(films, targets, resume=bookmark, **options)] == losses[3:]
    assert equal(again.state_dict(), whole.state_dict())


class Counted(convis.streams.SequenceStream):
    """Frames that note which of them were read."""

    def __init__(self, frames: Any) -> None:
        super().__init__(frames)
        self.read: list[int] = []

    def get(self, n: int) -> torch.Tensor:
        self.read.append(self.position)
        return super().get(n)


@pytest.mark.parametrize("optimizer", [ADAM, LBFGS])
def test_what_was_passed_is_not_read_again(tmp_path: Path, optimizer: tuple[str, dict[str, Any]]) -> None:
    case = Case(epochs=2, optimizers={0: ADAM, 2: optimizer})
    case.first(tmp_path / "fit.pt", 2)
    run = case.begun(lambda *_: None, 2)
    bookmark = resume_checkpoint(tmp_path / "fit.pt", run.model)
    films = [Counted(STIMULUS), Counted(RESPONSE)]
    steps = run.model.fit(*films, dt=20, epochs=1, resume=bookmark)
    assert [(step.step, step.start) for step in steps] == [(2, 40)]
    assert [set(film.read) for film in films] == [{40}, {40}]


def test_a_fit_that_was_saved_at_its_end_has_nothing_left_to_do(tmp_path: Path) -> None:
    whole = Case().first(tmp_path / "fit.pt", 10**9)
    rest = Case().next(tmp_path / "fit.pt", 9, 10**9)
    assert rest.seen == [] and equal(rest.left, whole.left)


@pytest.mark.parametrize("cut", [8, 11, 13, 14])
def test_a_fit_that_diverges_after_it_was_resumed_falls_back_on_its_best_pass(tmp_path: Path, cut: int) -> None:
    """The best pass lies before the cut, and the rest of the pass that was cut is no whole one."""
    case, path = (
        Case(epochs=60, optimizers={0: ("Adam", {"lr": 0.003}), 12: ("SGD", {"lr": 1e-2})}),
        tmp_path / "fit.pt",
    )
    whole = case.begun(lambda *_: None)
    with pytest.raises(FitError, match="diverged"):
        list(whole.steps())
    case.first(path, cut)
    rest = case.begun(lambda model, *_: resume_checkpoint(path, model), cut)
    with pytest.raises(FitError, match="diverged"):
        list(rest.steps())
    assert len(rest.seen) == len(whole.seen) - cut > 1
    assert equal(rest.model.state_dict(), whole.model.state_dict())


def test_the_best_pass_is_that_with_the_least_loss_of_all_its_parts() -> None:
    passes, names = BestPass.at_first(("first",)), ("first", "second", "third")
    for name, parts in zip(names, [(5.0, 2.0), (1.0, 3.0), (0.5, 4.0)], strict=True):
        passes = passes.begin((name,))
        for loss in parts:
            passes = passes.add(loss)
        passes = passes.end()
    assert (passes.loss, passes.values) == (4.0, ("second",))
    begun = passes.begin(("fourth",)).add(0.1)
    assert begun.values == ("second",)  # a pass that has not ended is none


SCORES = [9.0, 7.0, 8.0, 6.0, 6.5, 6.4, 6.3, 1.0]


@pytest.mark.parametrize("cut", range(1, 13))
def test_early_stopping_goes_on_waiting(tmp_path: Path, cut: int) -> None:
    """It ends after as many epochs, and with the parameters of the same one, whichever part they were in."""

    def scores(epoch: int) -> Any:
        rest = iter(SCORES[epoch:])
        return lambda: next(rest)

    case, path = Case(dt=30, epochs=9), tmp_path / "fit.pt"
    whole = case.begun(lambda *_: None)
    steps = list(stop_early(whole.steps(), whole.model, scores(0), patience=3))
    assert len(steps) == 12 and steps[-1].bookmark.stopping.waited == 3  # type: ignore[union-attr]
    first = case.begun(lambda *_: None)
    for step in stop_early(first.steps(), first.model, scores(0), patience=3):
        if step.step + 1 == cut:
            save_checkpoint(path, first.model, step)
    model = case.model()
    case.chosen(model, cut)
    bookmark = resume_checkpoint(path, model)
    updates = model.fit(STIMULUS, RESPONSE, dt=30, epochs=9, resume=bookmark)
    rest = list(stop_early(updates, model, scores(1 + bookmark.epoch), patience=3, resume=bookmark))
    assert [step.loss for step in rest] == [step.loss for step in steps[cut:]]
    assert equal(model.state_dict(), whole.model.state_dict())


def test_a_bookmark_that_knows_of_no_early_stopping_is_refused() -> None:
    run = Case().begun(lambda *_: None)
    step = next(run.steps())
    with pytest.raises(FitError, match=r"no best epoch.*come out of stop_early"):
        stop_early(run.updates, run.model, lambda: 0.0, resume=step.bookmark)


def test_what_is_done_to_the_state_between_two_steps_does_not_touch_the_fit() -> None:
    """A watcher may run the model, or read the very stream that is fitted."""
    case = Case(lengths=(25, 35), unsteady=False)
    whole, watched = case.whole(), case.begun(lambda *_: None)
    films = [[convis.streams.SequenceStream(part) for part in np.split(whole, [25])] for whole in (STIMULUS, RESPONSE)]
    seen = []
    for step in watched.model.fit(*films, dt=20, epochs=3):
        seen.append(step.loss)
        watched.model.run(STIMULUS[:11])
        watched.model.compute_loss(*films)
    assert seen == [row[5] for row in whole.seen]
    assert equal(watched.model.state_dict(), whole.model.state_dict())


def test_one_stream_may_be_both_input_and_target() -> None:
    model = convis.models.LN(kernel_dim=(3, 3, 3))
    film = convis.streams.SequenceStream(STIMULUS)
    np.testing.assert_array_equal(model.compute_loss(film, film, dt=20), model.compute_loss(STIMULUS, STIMULUS, dt=20))


def test_norms_that_are_no_parameters_are_kept(tmp_path: Path) -> None:
    case = Case(unsteady=True)
    left = case.first(tmp_path / "fit.pt", 4).left
    model = Unsteady()
    case.chosen(model, 0)
    resume_checkpoint(tmp_path / "fit.pt", model)
    assert float(model.norm.running_mean) != 0 and equal(model.state_dict(), left["values"])
