"""Filters of one stage: against stored answers where those are right, against their definition where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution, filters
from convis_core.errors import ConvisError, ParameterError, ShapeError, StateError

STEP = 0.001


@pytest.fixture(scope="module")
def stored(shared: Path) -> Any:
    folder = shared / "reference" / "convis"
    return lambda name: np.load(folder / f"{name}.npz", allow_pickle=False)


def assert_agrees(got: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


# Convolution in one or two dimensions -----------------------------------------------------------


@pytest.mark.parametrize("size", ["3x3", "4x5", "5x4", "1x1"])
@pytest.mark.parametrize("clip", ["random", "impulse"])
def test_convolution_in_space(stored: Any, size: str, clip: str) -> None:
    data = stored("conv2d_conv1d")
    conv = filters.Conv2d(kernel_dim=data[f"weight2d_{size}"].shape, bias=False)
    conv.set_weight(data[f"weight2d_{size}"])
    assert_agrees(conv.run(data[f"input_{clip}"]).array(), data[f"output2d_{size}_{clip}"])


def test_convolution_in_space_with_channels_and_batches(stored: Any) -> None:
    data = stored("conv2d_conv1d")
    conv = filters.Conv2d(kernel_dim=data["weight2d_multichannel"].shape, bias=False)
    conv.set_weight(data["weight2d_multichannel"])
    assert_agrees(conv.run(data["input_multichannel"]).array(), data["output2d_multichannel"])


@pytest.mark.parametrize("lags", ["1", "5", "10", "exponential_tau0.01"])
@pytest.mark.parametrize("dt", [None, 20, 7])
def test_convolution_in_time(stored: Any, lags: str, dt: int | None) -> None:
    data = stored("conv2d_conv1d")
    conv = filters.Conv1d(bias=False)
    conv.set_weight(data[f"weight1d_{lags}"], flip=lags != "exponential_tau0.01")
    wanted = data["output1d_exponential_tau0.01" if "exp" in lags else f"output1d_{lags}_whole"]
    assert_agrees(conv.run(data["input1d_random"], dt).array(), wanted)


def test_every_output_channel_has_a_bias_of_its_own() -> None:
    for conv in (filters.Conv2d(1, 3), filters.Conv1d(2, 3)):
        conv.bias = [1.0, 2.0, 3.0]
        conv.weight = 0.0
        response = conv(torch.ones(1, conv.in_channels, 4, 3, 5))
        assert response.mean(dim=(0, 2, 3, 4)).tolist() == [1.0, 2.0, 3.0]


def test_a_gaussian_has_unit_sum_and_its_width_along_each_axis() -> None:
    for conv in (filters.Conv2d(bias=False), filters.Conv3d(bias=False), filters.RF(bias=False)):
        conv.gaussian(0.1, 0.3)
        kernel = conv.weight.detach()[0, 0, 0]
        assert float(kernel.sum()) == pytest.approx(1.0)
        for axis, sigma in ((0, 0.1), (1, 0.3)):
            profile = kernel.sum(dim=1 - axis)
            offsets = torch.arange(len(profile)) - len(profile) // 2
            assert float((profile * offsets**2).sum().sqrt()) == pytest.approx(sigma * 10.0, rel=0.02)


@pytest.mark.parametrize("rate", [200.0, 1000.0])
@pytest.mark.parametrize("tau", [0.005, 0.1, 0.5])
def test_exponentials_answer_a_constant_with_their_weight(rate: float, tau: float) -> None:
    """Truncated kernels that are not scaled again lose up to half of it."""
    conv = filters.Conv1d(bias=False, resolution=Resolution(10.0, rate))
    conv.exponential(tau)
    kernel = conv.weight.detach()[0, 0, :, 0, 0]
    assert float(kernel.sum()) == pytest.approx(1.0, rel=1e-5)
    assert float(kernel[1] / kernel[0]) == pytest.approx(np.exp(-1.0 / (tau * rate)), rel=1e-4)
    conv.highpass_exponential(tau, 0.7)
    assert float(conv.weight.detach().sum()) == pytest.approx(0.3, rel=1e-4)
    conv.exponential(tau, poles=3)
    assert float(conv.weight.detach().sum()) == pytest.approx(1.0, rel=1e-4)


def test_a_receptive_field_with_an_exponential_follows_the_mean_of_the_image() -> None:
    cell = filters.RF(bias=False)
    cell.exponential(0.005)
    movie = np.random.default_rng(0).random((60, 3, 4)).astype(np.float32)
    conv = filters.Conv1d(bias=False)
    conv.exponential(0.005)
    assert_agrees(cell.run(movie).array().ravel(), conv.run(movie.mean((1, 2))).array().ravel())


def test_a_receptive_field_of_one_pixel_keeps_what_was_set() -> None:
    cell = filters.RF(bias=False)
    cell.set_weight([[7.0]])
    cell.run(np.ones((3, 6, 7)))
    assert cell.weight.detach().flatten().tolist() == [7.0]


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: filters.Conv1d(kernel_dim=(3, 4)), "number of lags"),
        (lambda: filters.Conv2d(kernel_dim=(3,)), r"\(x, y\)"),
        (lambda: filters.Conv1d().gaussian(0.3), "pixel by pixel"),
        (lambda: filters.Conv2d().exponential(0.1), "frame by frame"),
        (lambda: filters.Conv3d().exponential(0.0), "tau must be above 0 s"),
        (lambda: filters.Conv3d().gaussian(-1.0), "sigma must be above 0 deg"),
    ],
)
def test_what_a_convolution_cannot_be(act: Any, says: str) -> None:
    with pytest.raises(ConvisError, match=says):
        act()


# Delays -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 5, 25])
@pytest.mark.parametrize("dt", [None, 20, 7, 1])
def test_a_delay(stored: Any, steps: int, dt: int | None) -> None:
    data = stored("delay")
    layer = filters.Delay(delay=steps * STEP)
    assert_agrees(layer.run(data["input"], dt).array(), data[f"delay{steps}_length0_whole"])


@pytest.mark.parametrize("dt", [None, 7, 1])
def test_a_delay_of_every_pixel(stored: Any, dt: int | None) -> None:
    """The stored answer is that of the transposed map."""
    data = stored("delay")
    layer = filters.VariableDelay(data["delays"].T * STEP)
    assert_agrees(layer.run(data["input"], dt).array(), data["variable_whole"])


def test_delays_of_an_oblong_image_are_where_they_were_put() -> None:
    delays = np.arange(12).reshape(3, 4)
    clip = np.random.default_rng(0).random((20, 3, 4)).astype(np.float32)
    layer = filters.VariableDelay(delays * STEP, start="first_frame")
    got = layer.run(clip, 5).array()[0, 0]
    for x, y in np.ndindex(3, 4):
        wanted = clip[np.clip(np.arange(20) - delays[x, y], 0, None), x, y]
        np.testing.assert_allclose(got[:, x, y], wanted, atol=1e-5)
    with pytest.raises(ShapeError, match=r"delays for \[3, 4\] pixels, got frames of \[4, 3\]"):
        filters.VariableDelay(delays * STEP)(clip.transpose(0, 2, 1))


def test_a_ramp_is_delayed_by_broken_steps_and_shows_the_gradient() -> None:
    layer = filters.Delay(delay=2.25 * STEP)
    response = layer(torch.arange(10.0))[0, 0, :, 0, 0]
    torch.testing.assert_close(response[3:], torch.arange(3.0, 10.0) - 2.25, rtol=0, atol=1e-4)
    response[-1].backward()
    assert float(layer.delay.grad) == pytest.approx(-1.0 / STEP)


def test_a_delay_may_grow_and_shrink_during_a_run() -> None:
    layer = filters.Delay(delay=0.001)
    layer(torch.arange(5.0))
    layer.delay = 0.004
    assert layer(torch.arange(5.0, 7.0)).flatten().tolist() == [3.0, 3.0]
    layer.delay = 0.0
    assert layer(torch.tensor([7.0])).item() == 7.0


@pytest.mark.parametrize("wrong", [[1.0, 2.0], np.zeros((0, 3)), [[-1.0]]])
def test_delays_that_make_no_sense(wrong: Any) -> None:
    with pytest.raises(ConvisError):
        filters.VariableDelay(wrong)
    with pytest.raises(ParameterError, match="'zeros' or 'first_frame'"):
        filters.Delay(start="mirror")  # type: ignore[arg-type]


# What is in front of a chunk --------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 4, 9, 15])
@pytest.mark.parametrize("dt", [40, 20, 10, 5, 4, 7])
def test_the_frames_before_a_chunk_are_those_before_it(stored: Any, length: int, dt: int) -> None:
    data = stored("time_padding")
    clip = data["input"]
    whole = np.concatenate([np.repeat(clip[:1], length, axis=0), clip])
    layer = filters.TimePadding(length)
    for start in range(0, len(clip), dt):
        padded = layer(clip[start : start + dt])[0, 0].numpy()
        np.testing.assert_array_equal(padded, whole[start : start + dt + length])
    if length <= dt and 40 % dt == 0:  # the stored history is right if the chunks are not shorter
        np.testing.assert_array_equal(
            layer(clip[-dt:])[0, 0].numpy()[length:], data[f"length{length}_dt{dt}"][-1][length:]
        )


def test_what_comes_before_the_first_frame() -> None:
    clip = torch.tensor([1.0, 2.0, 3.0, 6.0])
    before = {
        "first_frame": [1, 1],
        "mirror": [3, 2],
        "full_copy": [3, 6],
        "mean": [3, 3],
        "zeros": [0, 0],
        "ones": [1, 1],
    }
    for mode, wanted in before.items():
        layer = filters.TimePadding(2, mode=mode)  # type: ignore[arg-type]
        assert layer(clip).flatten().tolist() == [*wanted, 1, 2, 3, 6]
        assert layer(clip).flatten().tolist()[:2] == [3, 6]
    for mode in ("mirror", "full_copy"):
        with pytest.raises(StateError, match="first chunk of at least"):
            filters.TimePadding(5, mode=mode)(clip)  # type: ignore[arg-type]
    for wrong in ({"mode": "magic"}, {"length": -1}):
        with pytest.raises(ParameterError):
            filters.TimePadding(**wrong)


def test_a_pushed_past_comes_back() -> None:
    layer = filters.TimePadding(2)
    layer(torch.ones(3))
    layer.push_state()
    layer(torch.zeros(3))
    layer.pop_state()
    assert layer(torch.zeros(1)).flatten().tolist() == [1.0, 1.0, 0.0]


# The rest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", ["random", "impulse"])
@pytest.mark.parametrize("dt", [None, 50])
def test_smooth_convolution(stored: Any, clip: str, dt: int | None) -> None:
    """The stored low-pass filters have the gain (h / 2) coth(h / 2) at h = step / tau instead of 1."""
    data = stored("smoothconv")
    layer = filters.SmoothConv(n=3, kernel_dim=(4, 5), tau=0.02)
    layer.set_weight(data["g_weights"][:, 0])
    gain = 0.025 / np.tanh(0.025)
    layer.weight = layer.weight.detach() * torch.tensor([gain, gain**2, gain**3]).reshape(1, 3, 1, 1, 1)
    assert_agrees(layer.run(data[f"input_{clip}"], dt).array(), data[f"output_{clip}_whole"])


@pytest.mark.parametrize("name", ["NLRectify", "NLRectifyScale", "NLSquare", "NLRectifySquare"])
def test_nonlinearities(stored: Any, name: str) -> None:
    data = stored("nonlinearities")
    options = {} if name == "NLRectify" else {"scale": float(data["scale"]), "bias": float(data["bias"])}
    assert_agrees(getattr(filters, name)(**options).run(data["input"]).array(), data[f"output_{name}"])


def test_powers_and_round_corners() -> None:
    x = torch.linspace(-60.0, 60.0, 121)
    square, half = filters.NLRectifySquare(scale=0.5), filters.Power(scale=0.5, exponent=2.0)
    torch.testing.assert_close(square(x), half(x))
    torch.testing.assert_close(filters.SoftPlus(sharpness=2.0)(x).flatten(), torch.nn.functional.softplus(x, beta=2.0))
    for layer in (filters.SoftPlus(sharpness=100.0), filters.Power(exponent=0.5), filters.Sigmoid()):
        y = x.clone().requires_grad_()
        layer(y).sum().backward()
        assert bool(torch.isfinite(y.grad).all())


def test_a_function_must_answer_every_frame() -> None:
    with pytest.raises(ParameterError, match="function"):
        filters.Nonlinearity(3.0)  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="of 5 frames, got float"):
        filters.Nonlinearity(lambda x: 1.0)(torch.ones(5))  # type: ignore[arg-type,return-value]


def test_sums_of_signals(stored: Any) -> None:
    data = stored("sum")
    for dim in range(3):
        assert_agrees(filters.Sum(dim)(data["a"], data["b"]), data[f"sum_dim{dim}"])
    with pytest.raises(ShapeError, match="channel axis only"):
        filters.Sum()(torch.ones(3), torch.ones(4))
    with pytest.raises(ParameterError, match="0 to 4"):
        filters.Sum(5)


def test_a_gabor_prefers_its_own_grating() -> None:
    position = np.arange(41) / 10.0

    def response(direction: float, frequency: float) -> float:
        wave = position[:, None] * np.cos(direction) + position[None] * np.sin(direction)
        layer = filters.GaborFilter(extent=1.0, sigma=0.3, frequency=2.0, orientation=np.pi / 6)
        return float(np.abs(layer.run(np.cos(2 * np.pi * frequency * wave)[None]).array()[..., 10:-10, 10:-10]).max())

    best = response(np.pi / 6, 2.0)
    assert best > 5 * max(response(-np.pi / 3, 2.0), response(np.pi / 6, 0.5), response(np.pi / 6, 4.0))
    with pytest.raises(ConvisError, match="extent"):
        filters.GaborFilter(extent=0.0)


def test_a_difference_of_gaussians_is_its_kernel() -> None:
    layer = filters.DifferenceOfGaussiansFilter(extent=0.4, weight_surround=0.6)
    conv = filters.Conv3d(bias=False)
    conv.set_weight(layer.kernel())
    clip = np.random.default_rng(0).random((4, 12, 9))
    torch.testing.assert_close(layer.run(clip)[0], conv.run(clip)[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.run(np.ones((2, 12, 9))).array(), 0.4, rtol=1e-5)
