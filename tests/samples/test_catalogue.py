"""The rest of the stimuli against stored reference numbers, and where those are wrong against analytic answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import convis_core as convis
from convis_core import samples
from convis_core.errors import ParameterError, ShapeError
from convis_core.resolution import Resolution

STIMULI: tuple[Callable[..., NDArray[np.float32]], ...] = (
    samples.chirp,
    samples.sum_of_sinusoids,
    samples.power_law_noise,
    samples.pink_noise,
    samples.drifting_gabor,
    samples.looming_disc,
)


@pytest.fixture(scope="module")
def reference(shared: Path) -> Mapping[str, NDArray[Any]]:
    return dict(np.load(shared / "reference" / "convis" / "samples.npz"))


@pytest.mark.parametrize("stimulus", STIMULI)
def test_every_stimulus_is_a_plain_array_of_the_shape_asked_for(stimulus: Callable[..., NDArray[np.float32]]) -> None:
    clip = stimulus(900, 8, 11)
    assert type(clip) is np.ndarray and clip.dtype == np.float32 and clip.shape == (900, 8, 11)
    assert np.isfinite(clip).all() and clip.flags.writeable and np.ptp(clip) > 0
    assert np.array_equal(clip, stimulus(900, 8, 11))
    with pytest.raises(ParameterError, match="Expected"):
        stimulus(0, 5, 5)


def test_chirp_agrees_with_the_reference_but_for_its_sweep(reference: Mapping[str, NDArray[Any]]) -> None:
    course = samples.chirp(4500, 1, 1)[:, 0, 0]
    stored = reference["chirp_t4500"]
    np.testing.assert_allclose(course[:3000], stored[:3000], atol=1e-5)
    np.testing.assert_allclose(course[4000:], stored[4000:], atol=1e-5)
    assert np.abs(course[3000:4000] - stored[3000:4000]).max() > 1.0


@pytest.mark.parametrize(("t", "rate"), [(4500, 1000.0), (9000, 1000.0), (4500, 500.0)])
def test_chirp_ends_at_the_frequency_it_says(t: int, rate: float) -> None:
    """The frequency counted from zero crossings goes evenly from the first to the last, at any length and rate."""
    course = samples.chirp(t, 1, 1, first_frequency=2.0, last_frequency=12.0, resolution=Resolution(10.0, rate))
    sweep = course[6 * t // 9 : 8 * t // 9, 0, 0].astype(float)
    before = np.flatnonzero(sweep[:-1] * sweep[1:] < 0)
    crossing = (before + sweep[before] / (sweep[before] - sweep[before + 1])) / rate
    middle, frequency = (crossing[1:] + crossing[:-1]) / 2, 0.5 / np.diff(crossing)
    duration = sweep.size / rate
    np.testing.assert_allclose(frequency, 2.0 + 10.0 * middle / duration, atol=0.05)
    assert 2.0 + 10.0 * crossing[-1] / duration == pytest.approx(12.0, abs=1.0)


def test_sinusoids_are_where_shapley_and_victor_had_them() -> None:
    """In one whole period of 65.526 s every sinusoid is one line of the spectrum, and nothing else is there."""
    rate = 8192 / 65.526
    clip = samples.sum_of_sinusoids(8192, 1, 1, contrast=0.05, luminance=2.0, resolution=Resolution(10.0, rate))
    lines = np.abs(np.fft.rfft(clip[:, 0, 0].astype(float))) / 4096
    expected = np.zeros(4097)
    expected[0] = 4.0
    expected[[15, 31, 63, 127, 255, 511, 1023, 2047]] = 0.1
    np.testing.assert_allclose(lines, expected, atol=1e-5)
    lags = set(np.flatnonzero(expected[1:]) + 1)
    sums = {a + b for a in lags for b in lags} | {abs(a - b) for a in lags for b in lags}
    assert not sums & lags  # of the second order


def test_sinusoids_can_stand_in_a_grating() -> None:
    clip = samples.sum_of_sinusoids(50, 2, 11, spatial_frequency=1.0, luminance=0.5)  # 10 pixels a cycle
    np.testing.assert_allclose(clip[:, :, 0] - 0.5, -(clip[:, :, 5] - 0.5), atol=1e-6)
    np.testing.assert_allclose(clip[:, 0, 10], clip[:, 1, 0], atol=1e-6)


MASKS = [(20, 20, 1), (21, 21, 3), (20, 21, 4), (8, 10, 2)]


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("x", "y", "width"), MASKS)
def test_masks_agree_with_the_reference_and_lie_the_right_way(
    reference: Mapping[str, NDArray[Any]], x: int, y: int, width: int, centred: bool
) -> None:
    key = f"{x}_{y}_{{}}{width}_center{int(centred)}"
    turned = (0, 2, 1)  # the reference has columns before rows
    square = samples.mask_square(x, y, width, centred)
    soft, hard = (samples.mask_circle(x, y, width, centred, hard=h) for h in (False, True))
    assert square.shape == soft.shape == hard.shape == (1, x, y)
    assert (samples.pulse(3, x, y) * soft).shape == (3, x, y)
    np.testing.assert_array_equal(square, reference["mask_square_" + key.format("w")].transpose(turned))
    np.testing.assert_array_equal(hard, reference["mask_circle_hard_" + key.format("r")].transpose(turned))
    np.testing.assert_allclose(soft, reference["mask_circle_" + key.format("r")].transpose(turned), atol=1e-12)


def test_gabor_agrees_with_the_reference(reference: Mapping[str, NDArray[Any]]) -> None:
    np.testing.assert_allclose(samples.gabor_kernel(), reference["gabor_default"], atol=1e-12)
    other = samples.gabor_kernel(phi=0.5, size=11, f=5, phase=1, sigma_x=2, sigma_y=0.5)
    np.testing.assert_allclose(other, reference["gabor_phi0.5_size11_f5_phase1_sx2_sy0.5"], atol=1e-12)


def test_text_stands_upright() -> None:
    letter = samples.text_kernel("L", (20, 14))
    assert letter.shape == (20, 14) and letter.min() == 0.0 and letter.max() == 1.0
    assert letter[:, 0].mean() > 0.8 and letter[-1].mean() > 0.8
    assert letter[0, -1] == 0.0 and samples.text_kernel().shape == (16, 16)
    with pytest.raises(ParameterError, match="Nothing can be seen"):
        samples.text_kernel(" ")


@pytest.mark.parametrize(("space", "time"), [(1.0, 1.0), (2.0, 0.0), (2.0, 2.0)])
def test_power_falls_as_the_exponents_say(space: float, time: float) -> None:
    noise = samples.power_law_noise(256, 32, 32, space=space, time=time, contrast=0.7)
    assert noise.std() == pytest.approx(0.7, rel=1e-4) and noise.mean() == pytest.approx(0.0, abs=1e-5)
    power = np.abs(np.fft.fftn(noise)) ** 2
    f, k = np.fft.fftfreq(256), np.hypot(np.fft.fftfreq(32)[:, None], np.fft.fftfreq(32)[None])
    keep = k > 0
    logs = np.log(power[1:][:, keep])
    columns = np.broadcast_arrays(np.log(np.abs(f[1:, None])), np.log(k[keep])[None], 1.0)
    slopes = np.linalg.lstsq(np.stack([c.ravel() for c in columns], 1), logs.ravel(), rcond=None)[0]
    np.testing.assert_allclose(-slopes[:2], [time, space], atol=0.02)


def test_disc_looms_as_an_object_at_constant_speed() -> None:
    clip = samples.looming_disc(
        1000, 81, 81, half_size_over_speed=0.02, collision=0.9, contrast=-0.5, resolution=Resolution(4.0, 1000.0)
    )
    area = clip.sum(axis=(1, 2)) / -0.5
    times = np.array([300, 600, 750])
    radius = np.degrees(np.arctan(0.02 / (0.9 - times / 1000))) * 4.0
    np.testing.assert_allclose(np.sqrt(area[times] / np.pi), radius, rtol=0.03)
    assert (clip[900:] == -0.5).all()


def test_gabor_drifts_behind_a_standing_window() -> None:
    patch = samples.drifting_gabor(250, 21, 21, sigma=0.4, contrast=0.8)  # a period of 4 Hz
    strength = np.sqrt(2.0 * (patch.astype(float) ** 2).mean(axis=0))
    rows, columns = np.mgrid[-10:11, -10:11]
    np.testing.assert_allclose(strength, 0.8 * np.exp(-(rows**2 + columns**2) / 32), atol=1e-5)


def test_protocol_says_where_everything_is_and_can_be_run() -> None:
    bright, dark = np.ones((30, 3, 4)), -np.ones((20, 3, 4))
    protocol = samples.Protocol({"bright": bright, "dark": dark}, repeats=2, gap=0.005, grey=0.25)
    assert [e[:3] for e in protocol.epochs] == [
        ("bright", 5, 35), ("dark", 40, 60), ("bright", 65, 95), ("dark", 100, 120),
    ]  # fmt: skip
    assert [e.repeat for e in protocol.epochs] == [0, 0, 1, 1]
    in_epochs = np.zeros(125, bool)
    for epoch in protocol.epochs:
        in_epochs[epoch.start : epoch.stop] = True
        assert (protocol.array[epoch.start : epoch.stop] == (1.0 if epoch.name == "bright" else -1.0)).all()
    assert (protocol.array[~in_epochs] == 0.25).all() and protocol.length == 125
    model = convis.filters.Conv3d(kernel_dim=(1, 1, 1), bias=False)
    model.set_weight(np.full((1, 1, 1), 3.0))
    response = model.run(protocol, dt=17)
    assert (protocol.cut(response, "dark") == -3.0).all()
    assert protocol.cut(response, "dark").shape == (2, 1, 1, 20, 3, 4)


def test_protocol_refuses_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="4x4 pixels in 'b' as in 'a', got 4x5"):
        samples.Protocol([("a", np.ones((2, 4, 4))), ("b", np.ones((2, 4, 5)))])
    with pytest.raises(ShapeError, match=r"\[time, x, y\]"):
        samples.Protocol([("a", np.ones((4, 4)))])
    with pytest.raises(ParameterError, match="at least one"):
        samples.Protocol([])
    protocol = samples.Protocol([("a", np.ones((2, 1, 1))), ("a", np.ones((3, 1, 1)))])
    with pytest.raises(ParameterError, match="named 'b'"):
        protocol.cut(protocol.array, "b")
    with pytest.raises(ShapeError, match="5 frames, got 4"):
        protocol.cut(protocol.array[1:], "a")
    with pytest.raises(ShapeError, match="differ in length"):
        protocol.cut(protocol.array, "a")


def test_generator_answers_with_its_kernel() -> None:
    kernel = np.random.default_rng(0).standard_normal((4, 3, 3))
    generator = samples.SampleGenerator(kernel, seed=3)
    impulse = np.zeros((8, 7, 7), np.float32)
    impulse[2, 3, 3] = 1.0
    response = generator.respond(impulse)
    np.testing.assert_allclose(response[2:6, 2:5, 2:5], np.maximum(kernel, 0.0), atol=1e-6)
    first, second = generator.generate((20, 5, 5))[0], generator.generate((20, 5, 5))[0]
    assert not np.array_equal(first, second)
    assert np.array_equal(first, samples.SampleGenerator(kernel, seed=3).generate((20, 5, 5))[0])
    with pytest.raises(ShapeError, match="kernel"):
        samples.SampleGenerator(np.ones(3))
