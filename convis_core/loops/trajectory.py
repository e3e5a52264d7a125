"""The way a fit has taken: parameters at every step, exactly, in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from convis_core.errors import FitError
from convis_core.loops.fit import FitStep, check_score, steps_of_a_fit
from convis_core.loops.protocol import FittableModel
from convis_core.loops.run import check_steps
from convis_core.loops.values import copy_values, put_values

__all__ = ["Trajectory"]

Bits = np.ndarray[tuple[int], np.dtype[np.uint8]]

RECORD_BYTES: Final = 200
"""What Python takes for a record beside its data, which for a model of few numbers is most of it."""


class Trajectory:
    """Records a fit as it passes, and brings any moment of it back.

    Every `keyframe_every`-th record is kept whole, those between as compressed differences of bits, so
    that what comes back is exact. When the records outgrow `max_bytes`, every other one is dropped, and
    from then on only every other step is recorded; losses are kept for all steps.

    Parameters
    ----------
    model : Layer
    keyframe_every : int
    max_bytes : int

    Examples
    --------
    >>> import convis_core as convis
    >>> inp, out = convis.samples.generate_sample_data(size=(60, 6, 6), seed=1)
    >>> m = convis.models.LN(kernel_dim=(4, 3, 3))
    >>> _ = m.set_optimizer.Adam(lr=0.01)
    >>> way = Trajectory(m)
    >>> for step in way.follow(m.fit(inp, out, dt=20, epochs=2)):
    ...     pass
    >>> len(way.losses), way.steps
    (6, [0, 1, 2, 3, 4, 5, 6])
    >>> way.branch(3)  # the model as it was after three updates, to go on from there
    """

    def __init__(self, model: FittableModel, *, keyframe_every: int = 20, max_bytes: int = 64_000_000) -> None:
        if not isinstance(model, nn.Module):
            raise FitError(f"A trajectory is that of a model, got {model!r:.80}.", "Give the Layer that is fitted.")
        self._model = model
        self._every = check_steps(keyframe_every, "keyframe_every", "records")
        self._limit = check_steps(max_bytes, "max_bytes", "bytes")
        self._stride = 1
        self.losses: list[float] = []
        self._records: dict[int, tuple[int, bytes]] = {}
        self._n_bytes = self._n_keyed = 0
        self._add(0)

    @property
    def steps(self) -> list[int]:
        """Numbers of updates after which the parameters are known; 0 is the start."""
        return list(self._records)

    @property
    def n_bytes(self) -> int:
        """Memory that the records take."""
        return self._n_bytes

    def follow(self, steps: Iterable[FitStep]) -> Iterator[FitStep]:
        """Pass the steps of a fit on and record each; after a branch, on from there."""
        for step in steps_of_a_fit(steps, "loss"):
            self.losses.append(step.loss)
            if len(self.losses) % self._stride == 0:
                self._add(len(self.losses))
            yield step

    def at(self, step: int) -> list[Tensor]:
        """Parameters after so many updates, or at the last record before; in the order of ``model.parameters()``."""
        step = check_steps(step, "step", "updates", least=0)
        known = [kept for kept in self._records if kept <= step]
        if not known or step > len(self.losses):
            raise FitError(f"The fit has made {len(self.losses)} updates, so there is no step {step}.")
        return self._values(known[-1])

    def branch(self, step: int) -> None:
        """Set the model back to a step, or to the last record before, and forget what came after.

        A new fit goes on from there. Choose its optimiser anew: what the old one has learnt of the
        gradients, and LBFGS of the curvature, belongs to the parameters that are forgotten.
        """
        put_values(self._model, self.at(step))
        self._records = {kept: record for kept, record in self._records.items() if kept <= step}
        self._count()
        del self.losses[next(reversed(self._records)) :]

    def evaluate(self, score: Callable[[], float]) -> dict[int, float]:
        """Score the model as it was after each recorded step: a learning curve, drawn up afterwards.

        Parameters
        ----------
        score : callable
            Asks the model for a number, e.g. ``lambda: model.compute_loss(held_out, target).sum()``.

        Returns
        -------
        dict
            From number of updates to score. The model ends with the parameters it had.
        """
        check_score(score)
        kept, scores = copy_values(self._model), {}
        try:
            for step in self.steps:
                put_values(self._model, self._values(step))
                scores[step] = self._number(score())
        finally:
            put_values(self._model, kept)
        return scores

    @staticmethod
    def _number(value: Any) -> float:
        size = value.numel() if isinstance(value, Tensor) else np.size(value)
        if size != 1 or value is None:
            raise FitError(
                f"A score is one number, got {value!r:.80}.", "Add up those of the chunks: compute_loss(...).sum()."
            )
        return float(value.item() if hasattr(value, "item") else value)

    def _add(self, step: int) -> None:
        parts = [p.detach().cpu().contiguous().numpy().reshape(-1).view(np.uint8) for p in self._model.parameters()]
        bits = np.concatenate(parts)
        last = next(reversed(self._records), None)
        if last is None or self._n_keyed >= self._every:
            self._n_keyed = 1
            self._keep(step, step, bits)
        else:
            key = self._records[last][0]
            self._n_keyed += 1
            self._keep(step, key, bits ^ self._bits(key))
        if self._n_bytes > self._limit and len(self._records) > 2:
            self._thin_out()

    def _keep(self, step: int, key: int, stored: Bits) -> None:
        data = zlib.compress(stored.tobytes(), level=1)
        self._records[step] = (key, data)
        self._n_bytes += len(data) + RECORD_BYTES

    def _count(self) -> None:
        """Count memory, and records of the last keyframe, anew."""
        self._n_bytes = sum(len(data) + RECORD_BYTES for _, data in self._records.values())
        last = self._records[next(reversed(self._records))][0]
        self._n_keyed = sum(key == last for key, _ in self._records.values())

    def _values(self, step: int) -> list[Tensor]:
        bits = self._bits(step)
        values, start = [], 0
        for parameter in self._model.parameters():
            stop = start + parameter.numel() * parameter.element_size()
            array = np.frombuffer(bits[start:stop].tobytes(), dtype=str(parameter.dtype).removeprefix("torch."))
            values.append(torch.from_numpy(array.copy()).reshape(parameter.shape).to(parameter.device))
            start = stop
        return values

    def _bits(self, step: int) -> Bits:
        key, data = self._records[step]
        bits = np.frombuffer(zlib.decompress(data), dtype=np.uint8)
        return bits if key == step else bits ^ self._bits(key)

    def _thin_out(self) -> None:
        self._stride *= 2
        kept = {step: self._bits(step) for step in self._records if step % self._stride == 0}
        self._records, key = {}, 0
        for number, (step, bits) in enumerate(kept.items()):
            key = step if number % self._every == 0 else key
            self._keep(step, key, bits if key == step else bits ^ kept[key])
        self._count()
