"""A fit that is cut and resumed equals one that is not, to the last bit, and its way can be walked back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.errors import ConvisError
from convis_core.loops.checkpoint import resume_checkpoint, save_checkpoint
from convis_core.loops.trajectory import Trajectory

STIMULUS, RESPONSE = convis.samples.generate_sample_data(size=(80, 8, 8), seed=1)


def make_model(optimizer: str = "Adam") -> convis.models.LN:
    torch.manual_seed(0)
    model = convis.models.LN(kernel_dim=(6, 5, 5))
    getattr(model.set_optimizer, optimizer)(lr=0.01)
    return model


def values(model: convis.models.LN) -> list[np.ndarray]:  # type: ignore[type-arg]
    return [p.detach().numpy().copy() for p in model.parameters()]


def same(a: list[object], b: list[object]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    ("optimizer", "cut"), [*((name, cut) for name in ("Adam", "SGD") for cut in (1, 4, 5)), ("LBFGS", 1), ("LBFGS", 2)]
)
def test_a_resumed_fit_equals_an_uninterrupted_one(tmp_path: Path, optimizer: str, cut: int) -> None:
    whole = make_model(optimizer)
    losses = list(whole.optimize(STIMULUS, RESPONSE, dt=20, epochs=3))
    first = make_model(optimizer)
    for number, step in enumerate(first.fit(STIMULUS, RESPONSE, dt=20, epochs=3), start=1):
        if number == cut:
            save_checkpoint(tmp_path / "fit.pt", first, step)
            break
    second = make_model(optimizer)
    done = resume_checkpoint(tmp_path / "fit.pt", second)
    rest = list(second.fit(STIMULUS, RESPONSE, dt=20, epochs=3, done=done))
    assert [step.loss for step in rest] == losses[cut:]
    assert [step.step for step in rest] == list(range(cut, 3 if optimizer == "LBFGS" else 12))
    assert same(values(second), values(whole))


def test_a_schedule_goes_on_too(tmp_path: Path) -> None:
    model = make_model()
    schedule = torch.optim.lr_scheduler.ExponentialLR(model.optimizer, gamma=0.5)
    for step in model.fit(STIMULUS, RESPONSE, dt=40, epochs=4, schedule=schedule):
        if step.step == 5:
            save_checkpoint(tmp_path / "fit.pt", model, step, schedule)
    again = make_model()
    later = torch.optim.lr_scheduler.ExponentialLR(again.optimizer, gamma=0.5)
    done = resume_checkpoint(tmp_path / "fit.pt", again, later)
    list(again.fit(STIMULUS, RESPONSE, dt=40, epochs=4, schedule=later, done=done))
    assert same(values(again), values(model))
    assert again.optimizer.param_groups[0]["lr"] == model.optimizer.param_groups[0]["lr"]


KILLED = """
import sys
from tests.core.test_resuming import RESPONSE, STIMULUS, make_model
from convis_core.loops.checkpoint import save_checkpoint
model = make_model()
for step in model.fit(STIMULUS, RESPONSE, dt=20, epochs=100000):
    save_checkpoint(sys.argv[1], model, step)
    print(step.step, flush=True)
"""


def test_a_file_survives_a_kill_while_it_is_written(tmp_path: Path) -> None:
    path, root = tmp_path / "fit.pt", Path(__file__).resolve().parents[2]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # as many as here, for sums are rounded by their order
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=root, env={**os.environ, **threads}
    )
    assert child.stdout is not None
    for _ in range(12):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    model = make_model()
    done = resume_checkpoint(path, model)
    plain = make_model()
    steps = plain.fit(STIMULUS, RESPONSE, dt=20, epochs=100000)
    for _ in range(done):
        next(steps)
    assert done >= 11 and same(values(model), values(plain))


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    model = make_model()
    for step in model.fit(STIMULUS, RESPONSE, dt=40):
        save_checkpoint(tmp_path / "fit.pt", model, step)
    with pytest.raises(ConvisError, match="fitted with Adam, here is LN with SGD"):
        resume_checkpoint(tmp_path / "fit.pt", make_model("SGD"))
    with pytest.raises(ConvisError, match="no checkpoint"):
        resume_checkpoint(tmp_path / "none.pt", model)
    (tmp_path / "broken.pt").write_bytes((tmp_path / "fit.pt").read_bytes()[:300])
    with pytest.raises(ConvisError, match="is no checkpoint of a fit"):
        resume_checkpoint(tmp_path / "broken.pt", model)
    model.optimizer = None
    with pytest.raises(ConvisError, match="No optimiser"):
        save_checkpoint(tmp_path / "fit.pt", model, step)


@pytest.mark.parametrize("every", [1, 3, 100])
def test_every_step_comes_back_exactly(every: int) -> None:
    model = make_model()
    way, seen = Trajectory(model, keyframe_every=every), [values(model)]
    for _ in way.follow(model.fit(STIMULUS, RESPONSE, dt=20, epochs=2)):
        seen.append(values(model))
    assert way.steps == list(range(9)) and len(way.losses) == 8
    assert all(same(way.at(step), seen[step]) for step in range(9))


def test_a_branch_goes_on_from_where_it_left() -> None:
    model = make_model("SGD")
    way, seen = Trajectory(model), []
    for _ in way.follow(model.fit(STIMULUS, RESPONSE, dt=80, epochs=4)):
        seen.append(values(model))
    losses = list(way.losses)
    way.branch(2)
    assert same(values(model), seen[1]) and way.losses == losses[:2]
    list(way.follow(model.fit(STIMULUS, RESPONSE, dt=80, epochs=2)))
    assert way.losses == losses and same(values(model), seen[3])


def test_memory_is_bounded_and_what_is_kept_stays_exact() -> None:
    model = make_model()
    way, seen = Trajectory(model, keyframe_every=4, max_bytes=6000), [values(model)]
    for _ in way.follow(model.fit(STIMULUS, RESPONSE, dt=20, epochs=10)):
        seen.append(values(model))
        assert way.n_bytes <= 6000
    assert 3 <= len(way.steps) < 41 and len(way.losses) == 40
    assert all(same(way.at(step), seen[step]) for step in way.steps)
    assert same(way.at(39), seen[[s for s in way.steps if s <= 39][-1]])
    with pytest.raises(ConvisError, match="has made 40 updates"):
        way.at(41)


def test_a_way_is_scored_afterwards_as_it_was_scored_on_it() -> None:
    model = make_model("Adam")
    way = Trajectory(model)

    def score() -> float:
        return float(model.compute_loss(STIMULUS[:40], RESPONSE[:40]).sum())

    seen = [score()]
    for _ in way.follow(model.fit(STIMULUS, RESPONSE, dt=20, epochs=2)):
        seen.append(score())
    own = [parameter.detach().clone() for parameter in model.parameters()]
    assert way.evaluate(score) == dict(zip(way.steps, seen, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(own, model.parameters(), strict=True))
    with pytest.raises(ZeroDivisionError):
        way.evaluate(lambda: 1 / 0)
    with pytest.raises(ConvisError, match=r"one number.*sum\(\)"):
        way.evaluate(lambda: model.compute_loss(STIMULUS, RESPONSE, dt=20))
    assert list(way.evaluate(lambda: model.compute_loss(STIMULUS, RESPONSE))) == way.steps
    assert all(torch.equal(a, b) for a, b in zip(own, model.parameters(), strict=True))
