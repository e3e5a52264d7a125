"""A fit that goes wrong says so, and gives back the best it had; one that only makes a detour goes on."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.loops.divergence import DivergedError, check_not_exploded
from convis_core.loops.losses import poisson_loss

RNG = np.random.default_rng(0)
MOVIE = RNG.standard_normal((400, 6, 6)).astype("float32")
SPIKES = RNG.poisson(np.exp(MOVIE[:, 2, 2] - 1))


def image_model(seed: int = 0) -> convis.models.LN:
    torch.manual_seed(seed)
    return convis.models.LN(kernel_dim=(3, 4, 4))


TARGET = image_model(1).run(MOVIE).array()


def values(model: convis.Layer) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", ["SGD", "ASGD"])
def test_a_finite_loss_that_explodes_ends_the_fit_with_the_parameters_from_before(name: str) -> None:
    """Left alone it would reach 1e22 in four passes, all finite."""
    model = image_model()
    start = values(model)
    getattr(model.set_optimizer, name)(lr=0.02)
    losses = []
    with pytest.raises(DivergedError, match=r"was .*, and .* would be that of no response.*smaller learning rate"):
        for step in model.fit(MOVIE, TARGET, dt=100, epochs=4):
            losses.append(step.loss)
    assert same(values(model), start) and max(losses) < 1e10


def test_a_likelihood_that_explodes_is_seen_as_well() -> None:
    model = convis.models.LNP(kernel_dim=(3, 6, 6))
    start = values(model)
    model.set_optimizer.SGD(lr=1.0)
    with pytest.raises(DivergedError):
        model.optimize(MOVIE, SPIKES, dt=100, epochs=3, loss_fn=model.likelihood)
    assert same(values(model), start)


def test_a_detour_is_left_to_come_back() -> None:
    """Steps that are too long at first: the loss is a thousand times that of no response, and falls again."""
    model = image_model()
    model.set_optimizer.RMSprop(lr=1.0)
    losses = model.optimize(MOVIE, TARGET, dt=100, epochs=4)
    nothing = float(np.square(TARGET[:, :, :100]).sum())
    assert losses.max() > 1e3 * nothing and losses[-1] < losses[0]


def test_a_start_that_is_far_off_is_no_explosion() -> None:
    model = image_model()
    with torch.no_grad():
        model.conv.weight.mul_(1e4)
    model.set_optimizer.LBFGS()
    losses = model.optimize(MOVIE, TARGET, dt=100, epochs=2)
    assert losses[0] > 1e5 * float(np.square(TARGET).sum()) and losses[-1] < 1e-6 * losses[0]


def test_frames_of_silence_before_a_response_are_no_explosion() -> None:
    """Where nothing is shown and nothing answers, the loss is 0, and then it is not."""
    film, target = MOVIE.copy(), TARGET.copy()
    film[:110], target[:, :, :110] = 0.0, 0.0
    model = image_model()
    model.set_optimizer.Adam()
    assert model.optimize(film, target, dt=100)[0] == 0.0


@pytest.mark.parametrize(
    ("loss", "least", "silent", "exploded"),
    [
        (1e6, 1.0, 1.0, True),
        (1e6, -1.0, -1.0, True),
        (1e6, 1.0, 1e2, False),
        (1e6, 1e2, 1.0, False),
        (1e6, 0.0, 0.0, False),
        (1e6, 0.0, float("nan"), False),
        (1e6, float("inf"), 1.0, False),
    ],
)
def test_both_must_be_far_below(loss: float, least: float, silent: float, exploded: bool) -> None:
    try:
        check_not_exploded(loss, least, lambda: silent)
    except DivergedError:
        assert exploded
    else:
        assert not exploded


def test_what_silence_would_have_is_asked_only_in_doubt() -> None:
    asked: list[float] = []
    check_not_exploded(9e4, 1.0, lambda: asked.append(1.0) or 1.0)
    assert not asked


# A fit that does not move -----------------------------------------------------------------------


def dead() -> convis.models.LNP:
    model = convis.models.LNP(kernel_dim=(3, 6, 6))
    with torch.no_grad():
        model.offset.fill_(-100.0)
    return model


def test_a_model_without_a_response_is_said_to_be_stuck_once() -> None:
    model = dead()
    model.set_optimizer.SGD(lr=1e-3)
    with pytest.warns(UserWarning, match=r"changed no parameter.*Start from other parameters") as told:
        model.optimize(MOVIE, SPIKES, dt=100, epochs=3, loss_fn=poisson_loss)
    assert len(told) == 1 and told[0].filename == __file__


def test_a_fit_that_moves_or_has_arrived_or_is_not_to_move_is_not_stuck() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alive = convis.models.LNP(kernel_dim=(3, 6, 6))
        alive.set_optimizer.SGD(lr=1e-3)
        alive.optimize(MOVIE, SPIKES, dt=100, loss_fn=alive.likelihood)
        warming = dead()
        warming.set_optimizer.SGD(lr=0.0)  # the first pass of a schedule
        warming.optimize(MOVIE, SPIKES, dt=100, loss_fn=warming.likelihood)
        found = image_model(1)
        found.set_optimizer.SGD(lr=1e-6)
        assert found.optimize(MOVIE, TARGET, dt=400)[0] == 0.0
        found.set_optimizer.LBFGS()
        found.optimize(MOVIE, 0.9 * TARGET, epochs=4)
