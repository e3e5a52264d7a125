"""Weights, trials, penalties, clipping, schedules and early stopping of the one fit loop."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core import fit
from convis_core.errors import ConvisError, FitError
from convis_core.loops.early_stopping import stop_early
from convis_core.loops.losses import mean_squared_error
from convis_core.loops.optimizers import left_out
from convis_core.loops.regularisers import L2

STIMULUS, RESPONSE = convis.samples.generate_sample_data(size=(80, 8, 8), seed=1)
STIMULUS, RESPONSE = np.asarray(STIMULUS), np.asarray(RESPONSE)


@pytest.fixture
def model() -> convis.models.LN:
    torch.manual_seed(0)
    return convis.models.LN(kernel_dim=(6, 5, 5))


def kernel(model: convis.models.LN) -> torch.Tensor:
    return next(p for p in model.parameters() if p.ndim == 5).detach().clone()


def test_frames_of_weight_zero_change_nothing(model: convis.models.LN) -> None:
    weights = np.ones(80)
    weights[30:50] = 0
    broken = RESPONSE.copy()
    broken[30:50] = np.nan
    losses = model.compute_loss(STIMULUS, broken, dt=40, weights=weights)
    each = (model.run(STIMULUS).array()[0, 0] - RESPONSE) ** 2
    assert losses == pytest.approx([each[:30].sum(), each[50:].sum()], rel=1e-4)
    model.set_optimizer.SGD(lr=1e-5)
    model.optimize(STIMULUS, broken, dt=40, weights=weights)
    assert bool(torch.isfinite(kernel(model)).all())


def test_a_mean_with_weights_divides_by_them(model: convis.models.LN) -> None:
    plain = model.compute_loss(STIMULUS, RESPONSE, loss_fn=mean_squared_error)
    tripled = model.compute_loss(STIMULUS, RESPONSE, loss_fn=mean_squared_error, weights=np.full(80, 3.0))
    assert plain == pytest.approx(tripled, rel=1e-5)


def test_a_mean_of_no_points_is_no_loss(model: convis.models.LN) -> None:
    losses = model.compute_loss(STIMULUS, RESPONSE, dt=20, loss_fn=mean_squared_error, t_skip=25)
    assert losses[0] == 0.0 and (losses[1:] > 0).all()
    model.set_optimizer.SGD(lr=1e-6)
    assert model.optimize(STIMULUS, RESPONSE, dt=20, loss_fn=mean_squared_error, t_skip=25) == pytest.approx(
        losses, rel=0.1
    )


@pytest.mark.parametrize("options", [{}, {"t_skip": 7}, {"weights": True}])
@pytest.mark.parametrize("lengths", [(80,), (50, 30)])
def test_a_mean_over_several_chunks_has_each_point_count_the_same(
    options: dict[str, Any], lengths: tuple[int, ...]
) -> None:
    """What is made small is the mean over all points, as often as there are chunks, however time is cut."""
    edges = np.cumsum([0, *lengths])
    films, answers, weights = (
        [whole[a:b] for a, b in itertools.pairwise(edges)]
        for whole in (STIMULUS, RESPONSE, 1.0 + np.arange(80) % 3 * (np.arange(80) > 60))
    )
    given = {**options, **({"weights": weights} if "weights" in options else {})}
    means, found = [], []
    for dt in (80, 33, 13):
        torch.manual_seed(0)
        model = convis.models.LN(kernel_dim=(3, 3, 3)).double()
        model.set_optimizer.LBFGS(max_iter=1)  # along the gradient, as far whatever its length
        (step,) = model.fit(films, answers, dt=dt, loss_fn=mean_squared_error, **given)
        means.append(step.loss / step.n_chunks)
        found.append(kernel(model))
    assert means == pytest.approx([means[0]] * 3, rel=1e-12)
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-9, atol=1e-12)


def test_a_mean_is_that_of_each_chunk_where_each_makes_an_update(model: convis.models.LN) -> None:
    """A last chunk of 20 frames is not a quarter of one of 60: its mean is the loss, as the name says."""
    model.set_optimizer.SGD(lr=0.0)
    losses = model.optimize(STIMULUS, RESPONSE, dt=60, loss_fn=mean_squared_error)
    squares = ((model.run(STIMULUS).array()[0, 0] - RESPONSE) ** 2).mean(axis=(1, 2))
    assert losses == pytest.approx([squares[:60].mean(), squares[60:].mean()], rel=1e-4)


def test_every_trial_starts_without_memory(model: convis.models.LN) -> None:
    parts = [STIMULUS[:30], STIMULUS[30:]], [RESPONSE[:30], RESPONSE[30:]]
    together = model.compute_loss(*parts)
    alone = [model.compute_loss(inp, out)[0] for inp, out in zip(*parts, strict=True)]
    assert together == pytest.approx(alone)
    model.set_optimizer.SGD(lr=1e-6)
    steps = list(fit(model, *parts, dt=25, epochs=2))
    assert [(s.epoch, s.trial, s.start, s.stop, s.ends_epoch) for s in steps[:4]] == [
        (0, 0, 0, 25, False),
        (0, 0, 25, 30, False),
        (0, 1, 0, 25, False),
        (0, 1, 25, 50, True),
    ]
    assert len(steps) == 8


def test_an_epoch_adds_a_penalty_once(model: convis.models.LN) -> None:
    model.set_optimizer.SGD(lr=0.0)
    plain = model.optimize(STIMULUS, RESPONSE, dt=30)
    penalty = L2(2000.0)
    with_it = model.optimize(STIMULUS, RESPONSE, dt=30, penalties=[penalty])
    assert with_it.sum() - plain.sum() == pytest.approx(float(penalty(model).detach()), rel=1e-3)


def test_a_strong_penalty_shrinks_the_kernel(model: convis.models.LN) -> None:
    before = kernel(model).norm()
    model.set_optimizer.SGD(lr=1e-6)
    model.optimize(STIMULUS, RESPONSE, penalties=[L2(4e5)])
    assert float(kernel(model).norm()) < 0.5 * float(before)


def test_a_clipped_step_is_as_long_as_it_may_be(model: convis.models.LN) -> None:
    before = torch.cat([p.detach().flatten() for p in model.parameters() if p.requires_grad])
    model.set_optimizer.SGD(lr=1.0)
    model.optimize(STIMULUS, RESPONSE, clip=1e-3)
    after = torch.cat([p.detach().flatten() for p in model.parameters() if p.requires_grad])
    assert float((after - before).norm()) == pytest.approx(1e-3, rel=0.01)


def test_only_what_is_fitted_counts_for_the_length_of_a_step(model: convis.models.LN) -> None:
    """Gradients of other parameters are not those of this step, for no optimiser clears them."""
    bias = model.conv.bias
    model.set_optimizer.SGD([bias], lr=1.0)
    way = [float(bias.detach())]
    for _ in model.fit(STIMULUS, RESPONSE, dt=40, epochs=2, clip=1e-3):
        way.append(float(bias.detach()))
    np.testing.assert_allclose(np.abs(np.diff(way)), 1e-3, rtol=0.01)


def test_a_schedule_is_stepped_after_every_epoch(model: convis.models.LN) -> None:
    optimizer = model.set_optimizer.SGD(lr=1e-6)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    model.optimize(STIMULUS, RESPONSE, dt=40, epochs=3, schedule=schedule)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-6 / 8)


def test_early_stopping_brings_the_best_epoch_back(model: convis.models.LN) -> None:
    scores = iter([5.0, 3.0, 4.0, 4.5, 1.0])
    seen: list[torch.Tensor] = []

    def score() -> float:
        seen.append(kernel(model))
        return next(scores)

    model.set_optimizer.SGD(lr=1e-6)
    steps = list(stop_early(fit(model, STIMULUS, RESPONSE, dt=40, epochs=9), model, score, patience=2))
    assert len(steps) == 6  # three epochs of two chunks: the fourth is never made
    assert torch.equal(kernel(model), seen[1]) and not torch.equal(seen[1], seen[2])


def test_a_fit_that_diverges_leaves_the_best_parameters(model: convis.models.LN) -> None:
    start = kernel(model)
    model.set_optimizer.SGD(lr=1e3)
    steps = stop_early(
        fit(model, STIMULUS, RESPONSE, dt=40, epochs=50), model, lambda: model.compute_loss(STIMULUS, RESPONSE).sum()
    )
    with pytest.raises(FitError, match="diverged"):
        list(steps)
    assert torch.equal(kernel(model), start)


def test_whoever_walks_away_has_the_best_parameters(model: convis.models.LN) -> None:
    start = kernel(model)
    model.set_optimizer.SGD(lr=1e-6)
    steps = stop_early(fit(model, STIMULUS, RESPONSE, dt=40, epochs=5), model, lambda: 0.0)
    next(steps)
    assert not torch.equal(kernel(model), start)
    steps.close()  # type: ignore[attr-defined]
    assert torch.equal(kernel(model), start)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"weights": np.ones(79)}, "a weight for every frame"),
        ({"weights": -np.ones(80)}, "at least 0"),
        ({"weights": np.zeros(80)}, "some more than 0"),
        ({"clip": 0.0}, "more than 0, got 0"),
        ({"clip": "much"}, "more than 0, got 'much'"),
        ({"penalties": L2(1.0)}, r"list of functions of the model, got .*penalties=\[regularisers.L2"),
        ({"penalties": [3]}, r"list of functions of the model, got \[3\]"),
        ({"optimizer": "Adam"}, "one of torch.optim, got 'Adam'"),
        ({"schedule": "StepLR"}, "one of torch.optim.lr_scheduler, got 'StepLR'"),
        ({"resume": "fit.pt"}, "goes on from a Bookmark, got 'fit.pt'.*resume_checkpoint"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_the_first_step(
    model: convis.models.LN, options: dict[str, object], says: str
) -> None:
    model.set_optimizer.SGD(lr=1e-6)
    with pytest.raises(ConvisError, match=says):
        fit(model, STIMULUS, RESPONSE, **options)


def test_early_stopping_goes_on_from_a_bookmark_and_from_nothing_else(model: convis.models.LN) -> None:
    model.set_optimizer.SGD(lr=1e-6)
    steps = fit(model, STIMULUS, RESPONSE)
    with pytest.raises(FitError, match="from a Bookmark, got 'fit"):
        stop_early(steps, model, lambda: 0.0, resume="fit.pt")  # type: ignore[arg-type]


def test_counts_of_cells_that_look_like_an_image_are_said_to_do_so(model: convis.models.LN) -> None:
    model.set_optimizer.SGD(lr=1e-6)
    with pytest.raises(FitError, match=r"got 80 and 1\. An array of two axes is read as one image.*cells_as_channels"):
        fit(model, STIMULUS, np.zeros((80, 3)))


def test_trials_must_match(model: convis.models.LN) -> None:
    model.set_optimizer.SGD(lr=1e-6)
    with pytest.raises(FitError, match="equally long list of targets, got 2 and 1"):
        fit(model, [STIMULUS, STIMULUS], [RESPONSE])
    with pytest.raises(FitError, match="got 2 and one"):
        fit(model, [STIMULUS, STIMULUS], RESPONSE)


def test_an_optimiser_of_what_the_model_was_before_is_refused(model: convis.models.LN) -> None:
    """It would change what nobody uses any more, and leave the model as it is."""
    model.set_optimizer.Adam()
    model.optimize(STIMULUS, RESPONSE)
    model.conv = convis.filters.Conv3d(kernel_dim=(6, 5, 5))
    with pytest.raises(FitError, match=r"This Adam was chosen for other parameters.*set_optimizer\.Adam"):
        model.optimize(STIMULUS, RESPONSE)
    model.set_optimizer.Adam([model.conv.weight])  # a part of them is enough
    model.optimize(STIMULUS, RESPONSE)


@pytest.mark.parametrize("change", ["size", "precision"])
def test_an_optimiser_that_remembers_another_size_says_what_to_do(model: convis.models.LN, change: str) -> None:
    model.set_optimizer.Adam()
    model.optimize(STIMULUS, RESPONSE)
    if change == "size":
        model.conv.set_weight(np.ones((3, 4, 4)))
    else:
        model.double()
    with pytest.raises(FitError, match=r"choose it again: set_optimizer\.Adam"):
        model.optimize(STIMULUS, RESPONSE)
    model.set_optimizer.Adam()
    model.optimize(STIMULUS, RESPONSE)


def test_a_parameter_freed_after_the_optimiser_was_chosen_is_named(model: convis.models.LN) -> None:
    model.p.conv.bias.requires_grad_(False)
    model.set_optimizer.Adam(lr=0.01)
    model.p.conv.bias.requires_grad_(True)
    bias = float(model.p.conv.bias)
    for begin in (model.fit, model.optimize):
        with pytest.warns(UserWarning, match=r"chosen while conv\.bias did not .*model\.set_optimizer\.Adam") as told:
            begin(STIMULUS, RESPONSE, dt=40)
        assert told[0].filename == __file__
    assert float(model.p.conv.bias) == bias
    model.set_optimizer.Adam(lr=0.01)
    model.optimize(STIMULUS, RESPONSE, dt=40)
    assert float(model.p.conv.bias) != bias


def test_many_parameters_that_were_freed_are_counted() -> None:
    cells = convis.models.CentreSurround()
    others = list(cells.parameters())[1:]
    for parameter in others:
        parameter.requires_grad_(False)
    optimizer = cells.set_optimizer.Adam()
    cells.requires_grad_(True)
    assert len(left_out(optimizer, cells)) == len(others) > 3
    with pytest.warns(UserWarning, match=f"and {len(others) - 3} more did not"):
        cells.fit(STIMULUS, RESPONSE, dt=40)


@pytest.mark.parametrize("how", ["by hand", "in torch", "to the fit", "frozen still", "frozen later", "added", "part"])
def test_what_is_left_out_on_purpose_is_no_matter_for_a_warning(model: convis.models.LN, how: str) -> None:
    bias, weight = model.conv.bias, model.conv.weight
    bias.requires_grad_(how == "frozen later")
    given: dict[str, Any] = {}
    if how == "by hand":
        model.set_optimizer.Adam([weight], lr=0.01)
    elif how == "in torch":
        model.optimizer = torch.optim.Adam([weight], lr=0.01)
    elif how == "to the fit":
        given = {"optimizer": torch.optim.Adam([weight], lr=0.01)}
    elif how == "part":  # chosen by a part, for that part
        bias.requires_grad_(True)
        model.optimizer = model.conv.set_optimizer.Adam(lr=0.01)
    else:
        model.set_optimizer.Adam(lr=0.01)
    bias.requires_grad_(how not in ("frozen still", "frozen later"))
    if how == "added":
        assert model.optimizer is not None
        model.optimizer.add_param_group({"params": [bias]})
    model.optimize(STIMULUS, RESPONSE, dt=40, **given)  # a warning would be an error here
