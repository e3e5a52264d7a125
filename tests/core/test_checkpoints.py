"""A checkpoint survives whatever happens while it is written, holds all it needs, and is refused elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import ExponentialLR, StepLR

import convis_core as convis
from convis_core.errors import ConvisError, FileFormatError, FitError
from convis_core.loops.checkpoint import resume_checkpoint, save_checkpoint
from convis_core.loops.dice import get_dice, set_dice
from tests.conftest import ROOT
from tests.core.interrupted import RESPONSE, STIMULUS, Case, equal

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from convis_core.loops.checkpoint import resume_checkpoint, save_checkpoint
from tests.core.interrupted import RESPONSE, STIMULUS, Case
path, case, rounds = sys.argv[1], Case(epochs=10**6), 25
model = case.model()
case.chosen(model, 0)
steps = model.fit(STIMULUS, RESPONSE, dt=20, epochs=10**6)
save_checkpoint(path, model, next(steps))
bookmark = resume_checkpoint(path, model)
reached = []
for _ in range(rounds):
    child = os.fork()
    if child == 0:
        for step in model.fit(STIMULUS, RESPONSE, dt=20, epochs=10**6, resume=bookmark):
            for _ in range(20):  # far more writing than fitting: that is when it is killed
                save_checkpoint(path, model, step)
    time.sleep(random.Random(len(reached)).uniform(0.01, 0.15))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    bookmark = resume_checkpoint(path, model)
    reached.append(bookmark.step)
drafts = [draft.stat().st_size for draft in Path(path).parent.glob(".*")]
print(reached[-1], len(drafts))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_file_survives_kills_in_the_middle_of_writing(tmp_path: Path) -> None:
    """Each child goes on from what the one before had saved when it was killed; together they are one fit."""
    path = tmp_path / "fit.pt"
    told = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    reached, drafts = map(int, told.stdout.split())
    assert reached > 3 and drafts > 3  # they got on, and several were killed while a draft was half written
    model, plain = Case().model(), Case(epochs=10**6).begun(lambda *_: None)
    Case().chosen(model, 0)
    assert resume_checkpoint(path, model).step == reached
    for _ in range(reached):
        next(plain.updates)
    assert equal(model.state_dict(), plain.model.state_dict())


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    Case().first(tmp_path / "fit.pt", 2)
    return tmp_path / "fit.pt"


def ready(name: str = "Adam", **options: Any) -> Any:
    model = Case(**options).model()
    getattr(model.set_optimizer, name)(lr=0.01)
    return model


def test_a_file_of_an_earlier_version_is_refused(saved: Path) -> None:
    whole = torch.load(saved, weights_only=True)
    torch.save({**whole, "kind": "convis fit checkpoint 1"}, saved)
    with pytest.raises(FileFormatError, match=r"'convis fit checkpoint 1', of another version.*begin it again"):
        resume_checkpoint(saved, ready())


def test_what_is_no_checkpoint_is_refused(saved: Path) -> None:
    with pytest.raises(FileFormatError, match="There is no checkpoint"):
        resume_checkpoint(saved.with_name("none.pt"), ready())
    saved.write_bytes(saved.read_bytes()[:300])
    with pytest.raises(FileFormatError, match="is no checkpoint of a fit"):
        resume_checkpoint(saved, ready())
    torch.save({"kind": "something else"}, saved)
    with pytest.raises(FileFormatError, match="is no checkpoint of a fit"):
        resume_checkpoint(saved, ready())


def other_groups() -> Any:
    model = ready()
    model.set_optimizer.Adam([{"params": [p]} for p in model.parameters()])
    return model


def no_optimizer() -> Any:
    return Case().model()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda: ready("SGD"), "fitted with Adam and schedule none, here is LN fitted with SGD"),
        (lambda: ready(unsteady=True), "of LN fitted .* here is Unsteady"),
        (lambda: ready(double=True), "other names, shapes, types"),
        (lambda: ready(frozen=True), "other .* groups"),
        (other_groups, "other .* groups"),
        (no_optimizer, "here is LN fitted with none"),
    ],
)
def test_another_model_or_optimiser_is_refused_and_left_as_it_was(saved: Path, model: Any, says: str) -> None:
    built, dice = model(), torch.get_rng_state()
    before = {name: value.clone() for name, value in built.state_dict().items()}
    with pytest.raises(FileFormatError, match=says):
        resume_checkpoint(saved, built)
    assert equal(built.state_dict(), before) and torch.equal(torch.get_rng_state(), dice)
    assert built.optimizer is None or not built.optimizer.state


def test_another_schedule_is_refused(tmp_path: Path, saved: Path) -> None:
    model = ready()
    with pytest.raises(FileFormatError, match="schedule none, here is LN fitted with Adam and schedule StepLR"):
        resume_checkpoint(saved, model, schedule=StepLR(model.optimizer, 1))
    Case(schedule="exponential").first(saved, 2)
    with pytest.raises(FileFormatError, match="schedule ExponentialLR, here is LN fitted with Adam and schedule none"):
        resume_checkpoint(saved, model)


def test_the_schedule_of_the_first_part_must_not_be_forgotten(saved: Path) -> None:
    Case(schedule="exponential").first(saved, 2)
    model = ready()
    schedule = ExponentialLR(model.optimizer, 0.5)
    bookmark = resume_checkpoint(saved, model, schedule=schedule)
    with pytest.raises(FitError, match="was given schedule=, and this one is not"):
        model.fit(STIMULUS, RESPONSE, dt=20, resume=bookmark)
    model.fit(STIMULUS, RESPONSE, dt=20, resume=bookmark, schedule=schedule)


def test_an_optimiser_given_to_the_fit_is_the_one_that_is_saved(saved: Path) -> None:
    """And not another of the same kind, which was chosen on the model and has done nothing."""
    model = ready()
    own = torch.optim.Adam(model.parameters(), lr=0.003)
    for step in model.fit(STIMULUS, RESPONSE, dt=20, optimizer=own):
        save_checkpoint(saved, model, step)
    again = ready()
    later = torch.optim.Adam(again.parameters())
    bookmark = resume_checkpoint(saved, again, optimizer=later)
    weight, old = (next(iter(m.parameters())) for m in (again, model))
    assert later.param_groups[0]["lr"] == 0.003 and equal(dict(later.state[weight]), dict(own.state[old]))
    assert not again.optimizer.state
    with pytest.raises(FitError, match="was given optimizer=, and this one is not"):
        again.fit(STIMULUS, RESPONSE, dt=20, epochs=2, resume=bookmark)


def test_nothing_is_saved_that_would_not_be_all(saved: Path) -> None:
    model = ready()
    step = next(model.fit(STIMULUS, RESPONSE, dt=20))
    beside = torch.nn.Parameter(torch.ones(3))
    model.set_optimizer.Adam([*model.parameters(), beside])
    with pytest.raises(FitError, match="no parameter of the model"):
        save_checkpoint(saved, model, step)
    model.optimizer = None
    with pytest.raises(ConvisError, match="No optimiser"):
        save_checkpoint(saved, model, step)
    with pytest.raises(FitError, match="after a step of a fit, got Bookmark"):
        save_checkpoint(saved, model, step.bookmark)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [np.float64(0.01), np.float32(0.01), torch.tensor(0.01)])
def test_a_rate_may_be_of_any_kind_of_number(tmp_path: Path, rate: Any) -> None:
    case = Case(optimizers={0: ("Adam", {"lr": rate})})
    whole, path = case.whole(), tmp_path / "fit.pt"
    case.first(path, 4)
    rest = case.next(path, 4, 10**9)
    assert rest.seen == whole.seen[4:] and equal(rest.left["values"], whole.left["values"])


def test_what_was_frozen_on_the_way_stays_so(tmp_path: Path) -> None:
    model = ready()
    for step in model.fit(STIMULUS, RESPONSE, dt=20):
        model.p.conv.bias.requires_grad_(False)
        save_checkpoint(tmp_path / "fit.pt", model, step)
    again = ready()
    resume_checkpoint(tmp_path / "fit.pt", again)
    assert [p.requires_grad for p in again.parameters()] == [p.requires_grad for p in model.parameters()]


@pytest.mark.parametrize(("lengths", "says"), [((20, 40), "frame 40 of trial 0"), ((30,), "trials have 30 frames")])
def test_a_place_that_the_data_do_not_have_is_refused(saved: Path, lengths: tuple[int, ...], says: str) -> None:
    model = ready()
    bookmark = resume_checkpoint(saved, model)
    assert (bookmark.epoch, bookmark.trial, bookmark.start, bookmark.step) == (0, 0, 40, 2)
    films, answers = ([part[:n] for n in lengths] for part in (STIMULUS, RESPONSE))
    with pytest.raises(FitError, match=says):
        model.fit(films, answers, dt=20, resume=bookmark)


def test_an_accelerator_has_a_generator_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    device, kept = torch.device("cuda", 1), {}
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda where: torch.tensor([7 + where.index]))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, where: kept.update({where: state}))
    dice, here = get_dice(device), torch.rand(())
    set_dice(device, dice)
    assert kept == {device: torch.tensor([8])} and torch.rand(()) == here


def test_a_bookmark_says_where_it_is_and_not_all_it_holds(saved: Path) -> None:
    bookmark = resume_checkpoint(saved, ready())
    assert re.fullmatch(r"Bookmark\(epoch=0, trial=0, start=40, step=2\)", repr(bookmark))
    assert isinstance(bookmark, convis.estimation.Bookmark)
