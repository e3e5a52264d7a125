"""Tuning of models for which theory knows the answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from convis_core import Layer, Resolution, filters, parameter, state_variable
from convis_core.analysis import Tuning, direction_tuning, temporal_frequency_tuning
from convis_core.errors import ParameterError


class LowPass(Layer, register=False):
    """Exponential filter of the input."""

    tau = parameter(0.02, unit="s", bounds=(1e-4, 10.0), doc="time constant of the filter")
    last = state_variable("last output", shape="[batch, channel, x, y]")

    def forward(self, x: Tensor) -> Tensor:
        keep = torch.exp(-self.resolution.step / self.tau)
        y = torch.zeros_like(x[:, :, 0]) if self.last is None else self.last
        frames = []
        for frame in x.unbind(2):
            y = keep * y + (1 - keep) * frame
            frames.append(y)
        self.last = y
        return torch.stack(frames, dim=2)


def test_a_low_pass_has_its_transfer_function() -> None:
    frequencies = np.array([2.0, 8.0, 20.0])
    tuning = temporal_frequency_tuning(LowPass(), frequencies, size=(3, 3), cycles=2, settle=0.25)
    keep = math.exp(-0.05)
    exact = (1 - keep) / np.abs(1 - keep * np.exp(-2j * math.pi * frequencies / 1000))
    np.testing.assert_allclose(tuning.responses, exact, rtol=2e-3)
    assert tuning.preferred == 2.0


def test_frequencies_are_in_hertz_whatever_the_frame_rate() -> None:
    slow = LowPass(resolution=Resolution(10.0, 500.0))
    fast = LowPass(resolution=Resolution(10.0, 2000.0))
    a, b = (temporal_frequency_tuning(m, [5.0], size=(3, 3), cycles=2).responses[0] for m in (slow, fast))
    assert a == pytest.approx(b, rel=0.01) and a == pytest.approx(1 / math.hypot(1, 2 * math.pi * 5 * 0.02), rel=0.01)


@pytest.mark.parametrize("direction", [0.0, math.pi / 2, math.pi, 3 * math.pi / 2])
def test_a_filter_that_travels_prefers_its_own_direction(direction: float) -> None:
    lag, (rows, columns) = np.arange(60), np.mgrid[:11, :11] - 5
    along = (columns * math.cos(direction) - rows * math.sin(direction)) / 10  # deg
    moving = np.cos(2 * math.pi * (1.0 * along[None] + 8.0 * lag[:, None, None] / 1000))
    model = filters.Conv3d(kernel_dim=moving.shape, bias=False)
    model.set_weight(moving * np.exp(-(rows**2 + columns**2) / 18))
    tuning = direction_tuning(model, 4, temporal_frequency=8.0, size=(11, 11), cycles=1)
    angle, strength = tuning.direction_index()
    opposite = (angle + math.pi) % (2 * math.pi)
    best = tuning.preferred
    assert abs(math.sin((best - angle) / 2)) < 0.05 and abs(math.sin((best - opposite) / 2)) > 0.99
    assert strength > 0.2 and abs(math.sin(best - direction)) < 1e-6
    assert tuning.responses.max() > 1.5 * tuning.responses[(tuning.responses.argmax() + 2) % 4]


def test_a_point_sees_all_directions_alike() -> None:
    tuning = direction_tuning(LowPass(), [0.0, 1.0, 2.0, 3.5], size=(5, 5), cycles=1)
    assert tuning.responses.std() < 1e-3 * tuning.responses.mean()
    assert direction_tuning(LowPass(), 6, size=(3, 3), cycles=1, settle=0.1).direction_index()[1] < 1e-3


def test_indices_of_tuning_curves_that_are_known() -> None:
    angles = np.arange(12) * math.pi / 6
    one = Tuning(angles, 1 + np.cos(angles - math.pi / 3))
    assert one.direction_index() == pytest.approx((math.pi / 3, 0.5)) and one.orientation_index()[1] < 1e-12
    two = Tuning(angles, 1 + np.cos(2 * (angles - math.pi / 3)))
    assert two.orientation_index() == pytest.approx((math.pi / 3, 0.5)) and two.direction_index()[1] < 1e-12
    assert Tuning(angles, 0 * angles).direction_index()[1] == 0.0


def test_the_mean_and_the_modulation_of_a_response() -> None:
    options = {"size": (3, 3), "background": 2.0, "contrast": 0.5, "settle": 0.0}
    model = LowPass(tau=1e-4)
    assert temporal_frequency_tuning(model, [10.0], measure="mean", **options).responses[0] == pytest.approx(
        2.0, rel=1e-3
    )
    assert temporal_frequency_tuning(model, [10.0], **options).responses[0] == pytest.approx(0.5, rel=1e-2)


def test_the_state_is_left_as_it_was() -> None:
    model = LowPass()
    model.run(np.ones((30, 4, 4)))
    kept = model.s.last.clone()
    temporal_frequency_tuning(model, [20.0], size=(3, 3), cycles=1)
    assert bool((model.s.last == kept).all())


def test_what_cannot_be_measured_is_refused() -> None:
    for frequency in (0.0, 600.0):
        with pytest.raises(ParameterError, match="between 0 and 500 Hz"):
            temporal_frequency_tuning(LowPass(), [frequency])
    with pytest.raises(ParameterError, match="'peak'"):
        temporal_frequency_tuning(LowPass(), [2.0], measure="peak")
    with pytest.raises(ParameterError, match="at least two directions"):
        direction_tuning(LowPass(), 1)
