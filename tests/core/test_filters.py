"""Filters: what a weight means, which weights are refused, and what a kernel sums to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution, filters, models
from convis_core.errors import ConvisError, ParameterError, ResolutionError, ShapeError, UnknownNameError

WEIGHT = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32)


def test_the_impulse_response_is_the_weight() -> None:
    conv = filters.Conv3d(kernel_dim=(3, 4, 5), bias=False)
    conv.set_weight(WEIGHT)
    response = conv.impulse_response(length=5, size=(9, 9)).array()[0, 0]
    np.testing.assert_allclose(response[:3, 3:7, 2:7], WEIGHT, atol=1e-6)
    response[:3, 3:7, 2:7] = 0
    np.testing.assert_allclose(response, 0, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        *({"position": place} for place in ((9, 0), (0, -1), (1.5, 1), 5, (1, 2, 3), "ab")),
        *({"size": (0, 3)}, {"size": 5}, {"length": 0}),
    ],
)
def test_an_impulse_must_be_seen(options: dict[str, Any]) -> None:
    with pytest.raises(ConvisError):
        filters.Conv3d(kernel_dim=(3, 4, 5)).impulse_response(**{"size": (9, 9), **options})


def test_an_impulse_changes_a_background() -> None:
    conv = filters.Conv3d(kernel_dim=(3, 4, 5), bias=False)
    conv.set_weight(WEIGHT)
    response = conv.impulse_response(3, (9, 9), amplitude=2.0, background=5.0, position=(2, 6)).array()[0, 0]
    np.testing.assert_allclose(response[:, 1:5, 4:9], 2 * WEIGHT, atol=1e-4)


def test_unflipped_the_response_is_largest_where_the_weight_is_seen() -> None:
    conv = filters.Conv3d(kernel_dim=(3, 5, 5), bias=False)
    pattern = np.random.default_rng(1).standard_normal((3, 5, 5)).astype(np.float32)
    conv.set_weight(pattern, flip=False)
    movie = np.zeros((9, 11, 11), dtype=np.float32)
    movie[3:6, 2:7, 4:9] = pattern
    response = conv.run(movie).array()[0, 0]
    assert np.unravel_index(response.argmax(), response.shape) == (5, 4, 6)
    assert response.max() == pytest.approx(float((pattern**2).sum()), rel=1e-5)


def test_normalising_gives_unit_sum_or_says_why_not() -> None:
    conv = filters.Conv3d(kernel_dim=(3, 4, 5))
    conv.set_weight(np.abs(WEIGHT), normalize=True)
    assert float(conv.weight.detach().sum()) == pytest.approx(1.0)
    for zero in (np.zeros(3), np.array([1.0, -1.0])):
        with pytest.raises(ParameterError, match="sums to zero"):
            conv.set_weight(zero, normalize=True)


def test_a_weight_of_another_size_is_the_same_parameter() -> None:
    conv = filters.Conv3d(kernel_dim=(3, 3, 3))
    weight = conv.weight
    conv.run(np.zeros((5, 6, 6)))
    conv.set_weight(np.ones((4, 2, 2)))
    assert conv.weight is weight is conv.kernel() and weight.shape == (1, 1, 4, 2, 2) and conv.history is None
    conv.run(np.zeros((5, 6, 6)))


@pytest.mark.parametrize(
    "weight", [np.full((3, 3), np.nan), np.zeros((0, 3, 3)), np.zeros((2, 1, 3, 3, 3)), np.zeros(())]
)
@pytest.mark.parametrize("kind", [filters.Conv3d, filters.RF])
def test_weights_that_make_no_sense(kind: type[filters.Conv3d], weight: np.ndarray) -> None:
    layer = kind(kernel_dim=(3, 3, 3))
    before = layer.weight.detach().clone()
    with pytest.raises(ConvisError):
        layer.set_weight(weight)
    assert torch.equal(layer.weight, before)


@pytest.mark.parametrize(
    "dims", [(3, 3), (0, 3, 3), (3, 3.0, 3), (True, 3, 3), (1, 1, 1, 3, 3, 3), (3, -1, 3), 3, None]
)
def test_kernel_sizes_that_make_no_sense(dims: object) -> None:
    with pytest.raises(ShapeError, match="whole numbers above 0"):
        models.LN(kernel_dim=dims)  # type: ignore[arg-type]


def test_a_kernel_size_given_as_channels_is_shown() -> None:
    with pytest.raises(ShapeError, match=r"got \(1, \(3, 4, 5\), 1, 1, 1\)"):
        filters.RF((3, 4, 5))  # type: ignore[arg-type]


def test_channels() -> None:
    conv = filters.Conv3d(kernel_dim=(4, 2, 3, 3, 3), bias=True)
    assert (conv.in_channels, conv.out_channels) == (2, 4) and conv.bias.shape == (4,)
    assert conv(torch.zeros(1, 2, 5, 6, 6)).shape == (1, 4, 5, 6, 6)
    with pytest.raises(ShapeError, match=r"Use Conv3d\(in_channels=1\) or average the channels"):
        conv(torch.zeros(5, 6, 6))


# One response to the whole image ----------------------------------------------------------------


@pytest.mark.parametrize("flip", [True, False])
def test_a_receptive_field_is_a_weighted_sum(flip: bool) -> None:
    cell = filters.RF(kernel_dim=WEIGHT.shape, bias=False)
    cell.set_weight(WEIGHT, flip=flip)
    movie = np.random.default_rng(1).standard_normal((8, 4, 5)).astype(np.float32)
    weight = WEIGHT[:, ::-1, ::-1] if flip else WEIGHT
    expected = [sum((weight[lag] * movie[t - lag]).sum() for lag in range(3)) for t in range(3, 8)]
    np.testing.assert_allclose(cell.run(movie).array()[0, 0, 3:, 0, 0], expected, rtol=1e-4, atol=1e-4)


def test_placement_of_a_weight_on_a_larger_image() -> None:
    image = np.arange(25.0).reshape(1, 5, 5)
    for placement, seen in (("corner", image[:, :3, :3]), ("centre", image[:, 1:4, 1:4])):
        cell = filters.RF(kernel_dim=(1, 3, 3), bias=False, placement=placement)
        cell.set_weight(np.ones((3, 3)))
        assert cell.run(image).array().item() == seen.sum()
        cell.set_weight(np.ones((9, 9)))
        assert cell.run(image).array().item() == image.sum()
    with pytest.raises(ParameterError, match="'centre' or 'corner'"):
        filters.RF(placement="middle")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="whole numbers above 0"):
        filters.RF(kernel_dim=(0, 3, 3))


@pytest.mark.parametrize("dims", [(4,), (4, None, None)])
def test_the_first_image_decides_an_open_size(dims: tuple[int | None, ...]) -> None:
    cell = filters.RF(kernel_dim=dims, bias=False)
    weight = cell.weight
    assert cell.run(np.ones((6, 3, 5))).array().ravel()[-1] == pytest.approx(1.0)
    assert cell.weight is weight and weight.shape == (1, 1, 4, 3, 5)


# Centre and surround ----------------------------------------------------------------------------


def test_a_constant_input_is_answered_as_documented() -> None:
    layer = filters.CentreSurroundFilter(duration=0.3, extent=1.0, weight_surround=0.6, weight_undershoot=0.7)
    response = layer.run(np.full((3, 9, 9), 2.0)).array()
    np.testing.assert_allclose(response, 2.0 * 0.4 * 0.3, rtol=1e-3)


def test_the_separated_filter_is_its_kernel() -> None:
    layer = filters.CentreSurroundFilter(duration=0.015, extent=0.3)
    conv = filters.Conv3d(kernel_dim=tuple(layer.kernel().shape), bias=False)
    conv.set_weight(layer.kernel())
    movie = np.random.default_rng(0).random((30, 12, 9))
    torch.testing.assert_close(layer.run(movie)[0], conv.run(movie)[0], rtol=1e-4, atol=1e-5)


def test_the_surround_is_wider_and_later() -> None:
    layer = filters.CentreSurroundFilter()
    centre, surround = (k.detach().numpy() for k in layer.spatial_kernels())
    assert centre.max() > surround.max() and centre[0] < surround[0]
    rise, fall = (k.detach().numpy() for k in layer.temporal_kernels())
    assert rise.argmax() < fall.argmax() and rise.min() < 0


def test_units_follow_the_resolution() -> None:
    coarse, fine = (
        filters.CentreSurroundFilter(0.1, 0.5, resolution=Resolution(ppd, rate)) for ppd, rate in ((10, 200), (20, 400))
    )
    assert coarse.kernel().shape == (1, 1, 20, 11, 11) and fine.kernel().shape == (1, 1, 40, 21, 21)
    for duration, extent in ((0, 0.5), (0.1, -1), (np.inf, 0.5), (0.1, np.nan)):
        with pytest.raises(ResolutionError, match="duration must lie between"):
            filters.CentreSurroundFilter(duration, extent)


def test_a_model_shows_the_kernel_of_its_first_filter() -> None:
    model = models.LN(kernel_dim=(3, 4, 5))
    assert model.kernel() is model.conv.weight
    with pytest.raises(UnknownNameError, match="no linear filter"):
        filters.NLRectify().kernel()


def test_on_and_off_cells_answer_light_and_dark() -> None:
    model = models.CentreSurround(seed=1)
    model.p._search.noise_sigma.ganglion_noise_sigma = 0.0
    bright = np.zeros((200, 9, 9))
    bright[100:, 4, 4] = 1.0
    on, off = (r.sum(dim=2)[0, 0, 4, 4] for r in model.run(bright))
    model.clear_state()
    on_dark, off_dark = (r.sum(dim=2)[0, 0, 4, 4] for r in model.run(-bright))
    assert on > off and off_dark > on_dark
    assert (float(on), float(off)) == (float(off_dark), float(on_dark))
