"""The search for settings ranks them by what they predict of data that were not fitted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.errors import FitError
from convis_core.estimation import search_settings
from convis_core.estimation.search import _Validation
from convis_core.loops.losses import sum_squared_error
from convis_core.loops.regularisers import L2


@pytest.fixture
def noisy() -> tuple[Any, Any, Any]:
    """A linear model with more weights than a short, noisy recording can tell."""
    rng = np.random.default_rng(3)
    movie = rng.standard_normal((90, 5, 5)).astype(np.float32)
    model = convis.models.L(kernel_dim=(3, 5, 5), population=False)
    kernel = np.zeros((3, 5, 5))
    kernel[1, 2, 2] = 1.0
    model.conv.set_weight(kernel)
    answer = model.run(movie).array().ravel() + 0.5 * rng.standard_normal(90)
    model.clear_state()
    model.conv.set_weight(kernel * 0)
    model.set_optimizer.Adam(lr=0.05)
    return model, movie, answer.astype(np.float32)


def test_the_strength_of_a_penalty_is_chosen_between_too_little_and_too_much(noisy: Any) -> None:
    model, movie, answer = noisy
    before = model.get_parameters()
    strengths = {"penalties": [(L2(w),) for w in (0.0, 10.0, 1e6)]}
    tried = search_settings(model, movie, answer, strengths, epochs=60, gap=3)
    assert tried[0].settings["penalties"][0].strength == 10.0
    assert tried[0].loss < 0.9 * min(c.loss for c in tried[1:])
    assert all(len(c.losses) == 3 and c.epochs == 60 and not c.problem for c in tried)
    assert [c.loss for c in tried] == sorted(c.loss for c in tried)
    for name, value in model.get_parameters().items():
        np.testing.assert_array_equal(value, before[name])


def test_halving_goes_on_with_the_best_share_and_finds_what_the_grid_finds(noisy: Any) -> None:
    model, movie, answer = noisy
    settings = {"lr": [1e-7, 1e-3, 0.02], "penalties": [(), (L2(1e6),)]}
    halved = search_settings(model, movie, answer, settings, epochs=[5, 20], keep=0.5)
    assert sorted(c.epochs for c in halved) == [5, 5, 5, 20, 20, 20]
    assert [c.epochs for c in halved[:3]] == [20, 20, 20]
    assert halved[0].settings == search_settings(model, movie, answer, settings, epochs=20)[0].settings


def test_what_is_judged_is_not_fitted(noisy: Any) -> None:
    model, movie, answer = noisy
    source, target = (convis.tensors.lift(a) for a in (movie, answer))
    seen: list[Any] = []

    def remember(response: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        seen.append((response.requires_grad, set(wanted.flatten().tolist())))
        return sum_squared_error(response, wanted)

    validate = _Validation(model, remember)
    validate(source, target, [slice(0, 27), slice(63, 90)], slice(30, 60), 3, {}, 2)
    fitted = set().union(*(values for learns, values in seen if learns))
    judged = set().union(*(values for learns, values in seen if not learns))
    assert fitted == set(answer[:27].tolist()) | set(answer[63:].tolist())
    assert judged == set(answer[30:60].tolist())


def test_the_judgement_of_a_model_that_is_right_is_nil(noisy: Any) -> None:
    model, movie, _ = noisy
    exact = model.run(movie).array().ravel()  # of an empty kernel, which nothing can mend
    model.clear_state()
    assert search_settings(model, movie, exact, {"lr": [1e-9]}, epochs=1, gap=2)[0].loss < 1e-9


def test_settings_that_diverge_come_last_and_say_why(noisy: Any) -> None:
    model, movie, answer = noisy
    model.set_optimizer.SGD(lr=1e-4)
    tried = search_settings(model, movie, answer, {"lr": [1e30, 1e-4]}, epochs=4)
    assert [c.settings["lr"] for c in tried] == [1e-4, 1e30]
    assert tried[1].loss == math.inf and "finite" in tried[1].problem
    with pytest.raises(FitError, match=r"Every combination failed.*finite"):
        search_settings(model, movie, answer, {"lr": [1e30]}, epochs=4)


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({}, {}),
        ({"lr": []}, {}),
        ({"lr": 0.1}, {}),
        (["lr"], {}),
        ({"lr": [0.1]}, {"epochs": [4, 2]}),
        ({"lr": [0.1]}, {"epochs": []}),
        ({"lr": [0.1]}, {"keep": 0.0}),
        ({"lr": [0.1]}, {"weights": np.ones(90)}),
        ({"lr": [0.1]}, {"n_folds": 1}),
    ],
)
def test_what_is_no_search_is_refused(noisy: Any, settings: Any, options: Any) -> None:
    with pytest.raises(FitError):
        search_settings(*noisy, settings, **options)


def test_a_search_needs_an_optimiser() -> None:
    with pytest.raises(FitError, match="set_optimizer"):
        search_settings(convis.models.L(kernel_dim=(1, 1, 1)), np.ones((9, 1, 1)), np.ones((9, 1, 1)), {"lr": [1.0]})
