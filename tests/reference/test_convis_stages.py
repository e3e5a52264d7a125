"""The original's stages and whole retinas, remade from our parts: to 1e-5, at both rates, for every clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from convis_core.filters import Conv3d
from convis_core.ops.integrate_and_fire import leaky_integrate_and_fire
from convis_core.retina import Bipolar, FullConvolutionOPLFilter, RecursiveOPLFilter, Retina, SeparableOPLFilter
from tests.reference.convis_parts import (
    OPL,
    Array,
    bipolar_without_gain_control,
    convolved,
    ganglion_current,
    half_recursive,
    here,
    load,
)

RATES = (1000, 200)


def assert_agrees(got: Array, wanted: Array, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def five(clip: Array) -> Array:
    return clip.astype(float)[None, None]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("clip", ["impulse", "checker", "fullstep"])
def test_half_recursive_layer(shared: Path, rate: int, clip: str) -> None:
    data = load(shared, f"opl_HalfRecursiveOPLFilter_{rate}sps")
    assert_agrees(half_recursive(five(data[f"input_{clip}"]), data), data[f"output_{clip}_whole"])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("clip", ["impulse", "checker", "fullstep"])
def test_full_convolution(shared: Path, rate: int, clip: str) -> None:
    """Its stored weight by our convolution, in chunks shorter than the weight, where the original lost its past."""
    data = load(shared, f"opl_FullConvolutionOPLFilter_{rate}sps")
    weight = data["param__conv.weight"][..., ::-1, ::-1, ::-1]
    conv = Conv3d(kernel_dim=weight.shape[2:], bias=False)
    conv.set_weight(weight.copy())
    assert_agrees(conv.run(data[f"input_{clip}"], dt=60).array(), data[f"output_{clip}_whole"])


@pytest.mark.parametrize("rate", RATES)
def test_our_layers_answer_an_impulse_nearly_alike(shared: Path, rate: int) -> None:
    """Ours have Deriche's kernel in all four, the original in the recursive one only; and its gains are up to 1.13."""
    kinds = {
        "Recursive": RecursiveOPLFilter,
        "Seperatable": SeparableOPLFilter,
        "FullConvolution": FullConvolutionOPLFilter,
    }
    for kind, cls in kinds.items():
        data = load(shared, f"opl_{kind}OPLFilter_{rate}sps")
        opl = cls(resolution=here(data))
        opl.settle(0.0)
        got, wanted = opl.run(data["input_impulse"]).array(), data["output_impulse_whole"]
        inside = (..., slice(4, -4), slice(4, -4))  # the original's borders are dark
        assert np.corrcoef(got[inside].ravel(), wanted[inside].ravel())[0, 1] > (0.99 if rate == 1000 else 0.98), kind


@pytest.mark.parametrize("rate", RATES)
def test_stages_of_a_retina(shared: Path, rate: int) -> None:
    data, numbers = load(shared, f"retina_stages_{rate}sps"), load(shared, f"retina_nospikes_{rate}sps")
    opl = half_recursive(five(data["input"]), numbers, OPL)
    assert_agrees(opl, data["opl"])
    v = bipolar_without_gain_control(opl)
    assert_agrees(v, data["bipolar"])
    for i, sign in enumerate((1, -1)):
        kernel = numbers[f"param__gang_{i}_input.transient.weight"]
        assert_agrees(ganglion_current(v, kernel, sign), data[f"gang_{i}_input"])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("clip", ["grating", "impulse", "chirp", "checker", "checker_nobipolar"])
def test_currents_of_a_retina(shared: Path, rate: int, clip: str) -> None:
    data = load(shared, f"retina_nospikes_{rate}sps")
    v = half_recursive(five(data[f"input_{clip.partition('_')[0]}"]), data, OPL)
    if not clip.endswith("nobipolar"):
        v = bipolar_without_gain_control(v)
    for i, name in enumerate(("on", "off")):
        current = ganglion_current(v, data[f"param__gang_{i}_input.transient.weight"], 1 - 2 * i)
        assert_agrees(current, data[f"{name}_{clip}_whole"])


def test_our_retina_follows_the_original_for_slow_light(shared: Path) -> None:
    """With all that is right in ours: unit gains, whole kernels, no leak at the start. The gain control is off."""
    data = load(shared, "retina_nospikes_1000sps")
    o = Retina(spikes=False).run(data["input_chirp"])
    for k, name in enumerate(("on", "off")):
        got, wanted = (current[:, :, 50:].ravel() for current in (o.array(k), data[f"{name}_chirp_whole"]))
        assert np.corrcoef(got, wanted)[0, 1] > 0.998


def test_noise_free_spikes_of_a_retina(shared: Path) -> None:
    """As many; 16 of 4683 one step away, where the potential meets the threshold to the last digit of float32."""
    data = load(shared, "retina_spikes_noiseless")
    v = bipolar_without_gain_control(half_recursive(five(data["input"]), data, OPL))
    start = torch.full((1, 1, 8, 9), float(data["V0"]), dtype=torch.float64)
    for i, name in enumerate(("on", "off")):
        kernel = data[f"param__gang_{i}_input.transient.weight"]
        current = torch.as_tensor(ganglion_current(v, kernel, 1 - 2 * i))
        spikes = leaky_integrate_and_fire(
            current, start, 0 * start, g=50.0, step=0.001, refractory=0.003, method="euler"
        )[0].numpy()
        assert spikes.sum() == data[name].sum()
        assert (spikes != data[name]).sum() <= 20


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("clip", ["impulse", "checker", "grating"])
@pytest.mark.parametrize("amplitude", [1, 10])
def test_bipolar_cells_take_steps_of_one_millisecond(shared: Path, rate: int, clip: str, amplitude: int) -> None:
    data, key = load(shared, f"bipolar_{rate}sps"), f"{clip}_amp{amplitude}"
    assert_agrees(bipolar_without_gain_control(five(data[f"input_{key}"])), data[f"output_lambda0_{key}"])
    keep = np.exp(-float(data["steps"].item()) / 5.0)
    np.testing.assert_allclose([-data["a_1"].item(), data["b_0"].item()], [keep, 1 + keep], rtol=1e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sigma", ["0.1", "0.2"])
def test_pooled_currents(shared: Path, rate: int, sigma: str) -> None:
    """Pooled by a Gaussian that is cut off, where its whole kernel fits."""
    data = load(shared, f"ganglion_input_{rate}sps")
    wanted = data[f"output_pool_sigma{sigma}_lambdaG400_i80_v0.1"]
    kernel = data["param__transient.weight"]
    current = ganglion_current(five(data["input_pool"]), kernel, 1.0, strength=400.0, rest=80.0, threshold=0.1)
    radius = (current.shape[-1] - wanted.shape[-1]) // 2
    pixels = float(sigma) * here(data).pixel_per_degree
    profile = np.exp(-0.5 * (np.arange(-radius, radius + 1) / pixels) ** 2) / np.sqrt(2 * np.pi) / pixels
    pooled = convolved(current, np.outer(profile, profile)[None, None, None])
    assert_agrees(pooled[..., radius:-radius, radius:-radius], wanted)


@pytest.mark.parametrize("rate", RATES)
def test_gain_control_with_its_constants_put_right(shared: Path, rate: int) -> None:
    """To 7 % for another kernel in space, a Gaussian cut off; as published it is 76 % away and more."""
    data = load(shared, f"bipolar_consistent_{rate}sps")
    cells = Bipolar(lambda_amp=float(data["lambda_amp"]), tau=float(data["tau"]), resolution=here(data))
    got, wanted = cells.run(data["input"]).array(), data["output_with_consistent_constants"]
    assert np.abs(got - wanted).max() < 0.07 * np.abs(wanted).max()
    assert np.corrcoef(got.ravel(), wanted.ravel())[0, 1] > 0.993
    assert np.abs(data["output_as_is"] - wanted).max() > 0.7 * np.abs(wanted).max()
    keep = np.exp(-1 / (rate * float(data["tau"])))
    np.testing.assert_allclose([-data["a_1_consistent"], data["b_0_consistent"]], [keep, 1 - keep], rtol=1e-6)


def test_gain_control_of_the_original_is_too_strong(shared: Path) -> None:
    """Its loop has a gain of 10 000 and a time constant of 5 s: it takes more away than ours."""
    data, free = load(shared, "retina_gain_control"), load(shared, "retina_stages_1000sps")
    retina = Retina(spikes=False)
    retina.p.bipolar.lambda_amp.set(float(data["lambda_amp"]))
    ours = retina.run(data["input"])
    for k, name in enumerate(("on", "off")):
        change = [np.abs(x[:, :, 150:] - 37.0).max() for x in (data[name], ours.array(k), free[f"gang_{k}_input"])]
        assert change[0] < change[1] < change[2]
