"""The input that excites most is the filter of a linear model, and a maximum of any other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.analysis import maximally_exciting_input
from convis_core.errors import ParameterError, ShapeError


def linear() -> convis.models.L:
    model = convis.models.L(kernel_dim=(4, 3, 3), population=True)
    model.conv.set_weight(np.random.default_rng(1).standard_normal((4, 3, 3)))
    return model


def test_of_a_linear_model_it_is_the_filter_turned_in_time() -> None:
    model = linear()
    kernel = model.conv.weight.detach().numpy()[0, 0]
    best = maximally_exciting_input(model, 4, (3, 3), norm=2.0, position=(1, 1))
    assert np.linalg.norm(best.input) == pytest.approx(2.0, rel=1e-5)
    # replicated borders make the outermost pixels count more than once: seen away from them it is the plain kernel
    wide = maximally_exciting_input(model, 5, (5, 5), norm=2.0, background=0.5)
    pattern = np.zeros((5, 5, 5))
    pattern[1:, 1:4, 1:4] = kernel[::-1, ::-1, ::-1]
    np.testing.assert_allclose(wide.input - 0.5, 2.0 * pattern / np.linalg.norm(pattern), atol=2e-3)
    gain = model.run(np.full((9, 5, 5), 0.5, np.float32)).array()[0, 0, -1, 2, 2]
    assert wide.response == pytest.approx(gain + 2.0 * np.linalg.norm(kernel), rel=1e-4)


def test_every_step_is_upwards_and_no_random_input_does_better() -> None:
    model = convis.models.LN(kernel_dim=(4, 3, 3), population=True)
    model.conv.set_weight(np.random.default_rng(2).standard_normal((4, 3, 3)))
    best = maximally_exciting_input(model, 5, (5, 5), seed=1)
    assert np.all(np.diff(best.climb) > 0) and len(best.climb) > 2
    others = np.random.default_rng(3).standard_normal((200, 5, 5, 5))
    others /= np.linalg.norm(others.reshape(200, -1), axis=1)[:, None, None, None]
    with torch.no_grad():
        answers = model(torch.as_tensor(others[:, None], dtype=torch.float32))[:, 0, -1, 2, 2]
    assert best.response > float(answers.max())


def test_the_model_is_left_as_it_was() -> None:
    model = linear()
    model.run(np.ones((3, 5, 5), np.float32))
    before = model.get_state()
    maximally_exciting_input(model, 4, (7, 7), steps=3)
    for name, value in model.get_state().items():
        torch.testing.assert_close(value, before[name])


def test_a_model_that_answers_nothing_is_refused() -> None:
    model = linear()
    model.conv.set_weight(np.zeros((4, 3, 3)))
    with pytest.raises(ParameterError, match="depends on none"):
        maximally_exciting_input(model, 4, (5, 5))
    with pytest.raises(ParameterError, match="norm"):
        maximally_exciting_input(model, 4, (5, 5), norm=0.0)
    with pytest.raises(ShapeError, match="pixel"):
        maximally_exciting_input(model, 4, (5, 5), position=(7, 7))
