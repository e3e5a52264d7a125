"""The whole retina: outputs, stages, chunks, memory, gradients, and fits that find what made the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core import Resolution
from convis_core.errors import ConvisError, ParameterError, UnknownNameError
from convis_core.retina import Retina

STAGES = ("receptor", "horizontal", "opl", "bipolar", "adaptation", "ganglion_0", "ganglion_1")


def clip(frames: int = 60, size: tuple[int, int] = (7, 8), seed: int = 1) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).random((frames, *size))


def layers(*signs: int) -> dict[str, Any]:
    """A retina with a layer of ganglion cells for each sign."""
    return {"ganglion-layers": [{"sign": sign, "spiking-channel": {"sigma-V": 0.1}} for sign in signs]}


def test_outputs_by_index_and_by_name() -> None:
    o = Retina(seed=1).run(clip(), dt=25)
    assert o[0] is o.ganglion_spikes_ON and o[1] is o.ganglion_spikes_OFF
    assert o.names == ("ganglion_spikes_ON", "ganglion_spikes_OFF")
    assert convis.models.Retina is convis.retina.Retina is Retina
    many = Retina(layers(1, 1, -1, 1, -1), spikes=False)
    assert many.output_names == tuple(f"ganglion_current_{k}" for k in ("ON", 1, "OFF", 3, 4))
    assert Retina(layers(-1, -1)).output_names == ("ganglion_spikes_OFF", "ganglion_spikes_1")
    assert Retina(layers()).run(clip()).names == ("bipolar",)
    assert Retina(layers(), bipolar=False).run(clip()).names == ("opl",)


def test_stages_are_recorded_by_name_in_any_chunks() -> None:
    retina = Retina(spikes=False).double()
    retina.p.bipolar.lambda_amp.set(100.0)
    whole = retina.run(clip(), record=STAGES)
    assert whole.names[2:] == STAGES
    retina.clear_state()
    pieces = retina.run(clip(), dt=7, record=STAGES)
    for a, b in zip(whole, pieces, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(whole.opl, whole.receptor - whole.horizontal)
    assert whole.ganglion_0 is whole[0] or bool((whole.ganglion_0 == whole[0]).all())
    chunk = next(iter(retina.stream(clip(), 10, record="opl")))
    assert chunk.output.names[2:] == ("opl",)
    assert retina.run(clip()).names == ("ganglion_current_ON", "ganglion_current_OFF"), "recording ends with the run"
    with pytest.raises(UnknownNameError, match=r"no stage 'cortex'.*receptor, horizontal, opl, bipolar"):
        retina.run(clip(), record=["cortex"])


def test_gain_control_is_switched_on_by_its_strength() -> None:
    retina = Retina(spikes=False)
    weak, strong = (np.full((200, 9, 9), 0.5) for _ in range(2))
    weak[100:, 4, 4], strong[100:, 4, 4] = 0.6, 2.5
    ratios = {}
    for strength in (0.0, 1000.0):
        retina.p.bipolar.lambda_amp.set(strength)
        peaks = []
        for frames in (weak, strong):
            retina.clear_state()
            peaks.append(float(retina.run(frames, record="bipolar").bipolar.max()))
        ratios[strength] = peaks[1] / peaks[0]
    assert ratios[0.0] == pytest.approx(20, rel=1e-3)
    assert ratios[1000.0] < 15


def test_stored_stages_one_after_the_other(shared: Path) -> None:
    """From the stored signal of a stage to that of the next; the stored bipolar cells began with a leak of 1 Hz."""
    data = np.load(shared / "reference" / "convis" / "retina_stages_1000sps.npz")
    retina = Retina(spikes=False)
    cells = retina.bipolar
    assert cells is not None
    cells.p.tau.set(5.0)
    image = torch.zeros(1, 1, *data["opl"].shape[3:])
    cells.set_state({"v": image, "adaptation": image + 1.0})
    v = cells.run(data["opl"], dt=100).array()
    np.testing.assert_allclose(v, data["bipolar"], rtol=0, atol=1e-5 * np.abs(data["bipolar"]).max())
    for i in range(2):
        current, wanted = retina.get_submodule(f"gang_{i}_input").run(v).array(), data[f"gang_{i}_input"]
        assert np.abs(current - wanted).max() < 0.05 * np.abs(wanted - 37.0).max(), "the stored kernel is cut off"


def test_a_run_begins_adapted_to_what_it_is_told() -> None:
    retina = Retina(layers(1), spikes=False)
    retina.settle(0.5)
    quiet = retina.run(np.full((50, 5, 5), 0.5), record="opl")
    np.testing.assert_allclose(quiet.opl, 0.0, atol=1e-5)
    retina.clear_state()  # is adapted again
    assert float(retina.run(np.full((50, 5, 5), 0.6), record="opl").opl.max()) > 0.05


def test_delays_of_virtual_retina_are_five_steps() -> None:
    """Receptor, undershoot, surround and bipolar cost a step each, transient and current one more."""
    retina = Retina(spikes=False, stage_delay=1)
    frames = np.full((20, 5, 5), 0.5)
    frames[10:] = 0.9
    retina.settle(0.5)
    o = retina.run(frames, record=STAGES)
    first = {name: int((np.abs(np.diff(o.array(name)[0, 0, :, 2, 2])) > 1e-4).argmax()) + 1 for name in STAGES[:2]}
    assert first == {"receptor": 11, "horizontal": 12}
    at_rest = 37.0
    current = o.array("ganglion_0")[0, 0, :, 2, 2]
    assert int((np.abs(current - at_rest) > 1e-3).argmax()) == 14
    with pytest.raises(ParameterError, match="stage_delay"):
        Retina(stage_delay=2)


@pytest.mark.parametrize("delay", [0, 1])
def test_any_cut_with_and_without_delays(delay: int) -> None:
    retina = Retina(stage_delay=delay, seed=3)
    retina.settle(0.4)
    whole = retina.run(clip(100))
    retina.clear_state()
    for a, b in zip(whole, retina.run(clip(100), dt=9), strict=True):
        assert bool((a == b).all())


def test_layers_have_noise_of_their_own_and_repeat_by_seed() -> None:
    retina = Retina(layers(1, 1), seed=1)
    o = retina.run(np.full((300, 6, 6), 0.5))
    assert bool((o[0] != o[1]).any())
    again = Retina(layers(1, 1), seed=1).run(np.full((300, 6, 6), 0.5), dt=50)
    assert bool((o[0] == again[0]).all() and (o[1] == again[1]).all())


@pytest.mark.parametrize("options", [{}, {"stage_delay": 1}], ids=["", "delays"])
def test_gradients_through_the_whole_retina(options: dict[str, Any]) -> None:
    """From the current of ganglion cells to the input and to every parameter."""
    retina = Retina(spikes=False, **options).double()
    retina.p.bipolar.lambda_amp.set(100.0)
    for i in range(2):
        retina.p[f"gang_{i}_input"].sigma_surround.set(0.1)
        retina.p[f"gang_{i}_input"].v_0.set(0.01)
    x = torch.as_tensor(clip(6, (4, 5)))[None, None].requires_grad_(True)

    def function(x: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor, ...]:
        retina.clear_state()
        return tuple(retina(x))

    assert torch.autograd.gradcheck(function, (x, *retina.parameters()), fast_mode=True, rtol=1e-4)


def test_memory_does_not_grow_with_the_length_of_a_stream() -> None:
    retina = Retina(seed=1)
    sizes = []
    for chunk in retina.stream(clip(400), 50):
        held = [v for v in retina._modules.values() if v is not None]
        states = [t for part in (retina, *held) for t in part.__dict__.get("_state_values", {}).values()]
        sizes.append(sum(t.untyped_storage().nbytes() for t in states if isinstance(t, torch.Tensor)))
        assert chunk.output.n_frames == 50
    assert len(set(sizes)) == 1 and sizes[0] < 20 * 7 * 8 * 4


def test_batches_and_channels_do_not_mix() -> None:
    """The stored bipolar cells copied the first batch and channel into all others."""
    retina = Retina(spikes=False)
    retina.p.bipolar.lambda_amp.set(100.0)
    x = torch.as_tensor(np.random.default_rng(5).random((2, 3, 20, 6, 7))).float()
    together = retina.run(x)
    for b, c in ((0, 0), (1, 2)):
        retina.clear_state()
        alone = retina.run(x[b : b + 1, c : c + 1])
        torch.testing.assert_close(together[0][b : b + 1, c : c + 1], alone[0])
        torch.testing.assert_close(together[1][b : b + 1, c : c + 1], alone[1])


def test_a_retina_can_be_used_for_another_size_when_cleared() -> None:
    retina = Retina(seed=1)
    retina.run(clip())
    with pytest.raises(ConvisError, match=r"(?i)clear"):
        retina.run(clip(size=(9, 5)))
    retina.clear_state()
    assert retina.run(clip(size=(9, 5))).array().shape[3:] == (9, 5)


@pytest.mark.parametrize("rate", [200, 1000])
def test_uniform_flicker_is_the_same_at_every_pixel(rate: int) -> None:
    """The border is no darker than the middle: the stored recursive layer answered twice as strongly in a corner."""
    retina = Retina(spikes=False, resolution=Resolution(20.0, rate))
    retina.p.bipolar.lambda_amp.set(100.0)
    frames = np.broadcast_to(np.random.default_rng(6).random((100, 1, 1)), (100, 9, 11))
    for response in retina.run(frames):
        spread = response.amax(dim=(3, 4)) - response.amin(dim=(3, 4))
        assert float(spread.max()) < 1e-3 * float(response.max())
