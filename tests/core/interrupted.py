"""Fits that are cut anywhere and go on in another process, or are not cut at all."""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR, LRScheduler, MultiStepLR

import convis_core as convis
from convis_core import FitStep
from convis_core.filters.spiking.stochastic import StochasticLayer
from convis_core.loops import losses
from convis_core.loops.bookmark import Bookmark
from convis_core.loops.checkpoint import resume_checkpoint, save_checkpoint
from convis_core.loops.optimizers import OURS
from convis_core.loops.regularisers import L2
from convis_core.ops.noise import block_normal

STIMULUS, RESPONSE = (np.asarray(part) for part in convis.samples.generate_sample_data(size=(60, 5, 5), seed=1))


class Unsteady(StochasticLayer, register=False):
    """A filter with all kinds of randomness and memory: of torch, of its own, and a norm that is no parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.ln = convis.models.LN(kernel_dim=(3, 3, 3))
        self.dropout, self.norm = torch.nn.Dropout(0.3), torch.nn.BatchNorm3d(1)

    def forward(self, x: Tensor) -> Tensor:
        noisy = x + 0.1 * self.draw(block_normal, x)
        self.norm(x)
        return self.dropout(self.ln(noisy))  # type: ignore[no-any-return]


SCHEDULES: dict[str, Callable[[Any], LRScheduler]] = {
    "exponential": functools.partial(ExponentialLR, gamma=0.7),
    "stepwise": functools.partial(MultiStepLR, milestones=[1, 2]),
}


@dataclass(frozen=True)
class Case:
    """All that a fit is given: how data are cut, which optimisers follow one another, and its options."""

    lengths: tuple[int, ...] = (60,)
    dt: int = 20
    epochs: int = 3
    optimizers: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=lambda: {0: ("Adam", {"lr": 0.01})})
    unsteady: bool = False
    double: bool = False
    grouped: bool = False
    frozen: bool = False
    schedule: str | None = None
    own_optimizer: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    penalised: bool = False
    weighted: bool = False
    mean: bool = False

    def model(self) -> Any:
        """Build it as for the first time."""
        torch.manual_seed(0)
        model = Unsteady() if self.unsteady else convis.models.LN(kernel_dim=(3, 3, 3))
        model = model.double() if self.double else model
        if self.frozen:
            next(p for p in model.parameters() if p.numel() == 1).requires_grad_(False)
        return model

    def chosen(self, model: Any, step: int) -> torch.optim.Optimizer:
        """Choose the optimiser with which this update, counted from 0, is made."""
        name, options = self.optimizers[max(first for first in self.optimizers if first <= step)]
        free = [p for p in model.parameters() if p.requires_grad]
        groups = (
            [{"params": free[:1], "lr": 3e-3}, {"params": free[1:]}] if self.grouped and "LBFGS" not in name else None
        )
        if self.own_optimizer:
            kind = OURS.get(name) or getattr(torch.optim, name)
            return kind(groups or free, **options)  # type: ignore[no-any-return]
        return getattr(model.set_optimizer, name)(groups, **options)  # type: ignore[no-any-return]

    def begun(self, bookmark: Callable[[Any, Any, Any], Bookmark | None], step: int = 0) -> Run:
        """Build everything and begin, or go on after so many updates."""
        model = self.model()
        first = self.chosen(model, 0)
        schedule = None if self.schedule is None else SCHEDULES[self.schedule](first)
        optimizer = first if max(n for n in self.optimizers if n <= step) == 0 else self.chosen(model, step)
        edges = np.cumsum([0, *self.lengths])
        parts = [slice(*pair) for pair in itertools.pairwise(edges)]
        options: dict[str, Any] = {**self.options, "schedule": schedule}
        if self.own_optimizer:
            options["optimizer"] = optimizer
        if self.penalised:
            options["penalties"] = (L2(3.0),)
        if self.weighted:
            options["weights"] = [1.0 + np.arange(p.stop - p.start) % 3 for p in parts]
        if self.mean:
            options["loss_fn"] = losses.mean_squared_error
        options["resume"] = bookmark(model, optimizer if self.own_optimizer else None, schedule)
        data = [STIMULUS[p] for p in parts], [RESPONSE[p] for p in parts]
        return Run(self, model, schedule, model.fit(*data, dt=self.dt, epochs=self.epochs, **options))

    def whole(self) -> Run:
        """Fit without an interruption."""
        run = self.begun(lambda *_: None)
        list(run.steps())
        return run.ended()

    def first(self, path: Path, cut: int) -> Run:
        """Fit up to so many updates, or to the end, and save there."""
        run = self.begun(lambda *_: None)
        return run.until(path, cut, 0)

    def next(self, path: Path, step: int, cut: int) -> Run:
        """Go on with what was saved after so many updates, up to more of them, as if nothing were known."""
        torch.manual_seed(step + 1000)
        run = self.begun(lambda m, o, s: resume_checkpoint(path, m, optimizer=o, schedule=s), step)
        return run.until(path, cut, step)


@dataclass
class Run:
    """A fit on its way."""

    case: Case
    model: Any
    schedule: LRScheduler | None
    updates: Iterator[FitStep]
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    left: dict[str, Any] = field(default_factory=dict)

    def steps(self) -> Iterator[FitStep]:
        """Make the updates, and change the optimiser where the case says so."""
        for step in self.updates:
            self.seen.append((step.step, step.epoch, step.trial, step.start, step.stop, step.loss, step.ends_epoch))
            if step.step + 1 in self.case.optimizers:
                self.case.chosen(self.model, step.step + 1)
            yield step

    def until(self, path: Path, cut: int, step: int) -> Run:
        """Make updates up to the number `cut` of all, save after the last, and close the fit."""
        for made in self.steps() if cut > step else ():
            save_checkpoint(path, self.model, made)
            if made.step + 1 == cut:
                self.updates.close()  # type: ignore[attr-defined]
                break
        return self.ended()

    def ended(self) -> Run:
        """Note all that the fit leaves behind."""
        optimizer = self.model.optimizer
        self.left = {
            "values": {name: value.clone() for name, value in self.model.state_dict().items()},
            "state": self.model.get_state(),
            "rates": None if optimizer is None else [group["lr"] for group in optimizer.param_groups],
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "dice": torch.get_rng_state(),
        }
        return self


def equal(a: Any, b: Any) -> bool:
    """Whether two results are the same to the last bit."""
    if isinstance(a, Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    return bool(a == b)


if __name__ == "__main__":  # the other process: goes on with every case whose file lies in a folder
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    for task in sorted(folder.glob("*.case")):
        case, made = torch.load(task, weights_only=False)
        run = case.next(task.with_suffix(".pt"), made, 10**9)
        torch.save((run.seen, run.left), task.with_suffix(".left"))
