"""Delays between stages, and the names under which stages are recorded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convis_core.errors import RunError, UnknownNameError
from convis_core.retina import Retina
from convis_core.retina.recording import Recording, check_stages
from convis_core.retina.stage_delay import StageDelay


@pytest.mark.parametrize("cuts", [(10,), (1, 9), (4, 0, 6), (3, 3, 4)])
def test_a_delay_is_one_step_in_any_chunks(cuts: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, 10, 4, 5)
    delay = StageDelay()
    parts, start = [], 0
    for n in cuts:
        parts.append(delay.shift(x[:, :, start : start + n], 7.0))
        start += n
    delayed = torch.cat(parts, dim=2)
    assert bool((delayed[:, :, 0] == 7.0).all())
    assert bool((delayed[:, :, 1:] == x[:, :, :-1]).all())


def test_a_delay_starts_from_a_frame_or_at_rest() -> None:
    x = torch.randn(1, 1, 3, 4, 5)
    assert bool((StageDelay().shift(x)[:, :, 0] == 0).all())
    assert bool((StageDelay().shift(x, x[:, :, 2:])[:, :, 0] == x[:, :, 2]).all())


def test_a_delay_keeps_one_frame_and_no_more() -> None:
    delay = StageDelay()
    delay.shift(torch.zeros(1, 1, 500, 4, 5))
    assert delay.last.untyped_storage().nbytes() == 4 * 5 * 4


def test_gradients_pass_a_delay() -> None:
    x = torch.randn(1, 1, 4, 2, 2, dtype=torch.float64, requires_grad=True)
    delay = StageDelay()
    both = torch.cat([delay.shift(x[:, :, :2]), delay.shift(x[:, :, 2:])], dim=2)
    (gradient,) = torch.autograd.grad(both.sum(), x)
    assert bool((gradient[:, :, :3] == 1).all() and (gradient[:, :, 3] == 0).all())


def test_names_of_stages() -> None:
    stages = ("opl", "bipolar")
    assert check_stages("opl", stages) == ("opl",)
    assert check_stages(["bipolar", "opl", "bipolar"], stages) == ("bipolar", "opl")
    assert check_stages((), stages) == ()
    with pytest.raises(UnknownNameError, match=r"no stage 'receptor', 'cone' to record\. There are: opl, bipolar"):
        check_stages(["receptor", "opl", "cone"], stages)


def test_a_recording_is_a_model_for_the_run_loop() -> None:
    retina = Retina({"ganglion-layers": []}, bipolar=False).double()
    model = Recording(retina, ("receptor",))
    assert (model.dtype, model.device, model.resolution) == (torch.float64, retina.device, retina.resolution)
    output = model.as_output(model(np.zeros((3, 4, 5))), start=7)
    assert output.names == ("opl", "receptor") and output.start == 7
    assert len(retina(np.zeros((3, 4, 5)))) == 1, "the retina itself answers as before"


def test_an_error_in_a_run_leaves_nothing_recorded() -> None:
    retina = Retina(spikes=False)
    original = retina.opl.stages

    def broken(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        raise RuntimeError("the eye is closed")

    retina.opl.stages = broken  # type: ignore[method-assign]
    with pytest.raises(RunError, match="the eye is closed"):
        retina.run(np.zeros((3, 4, 5)), record="opl")
    retina.opl.stages = original  # type: ignore[method-assign]
    assert retina.run(np.zeros((3, 4, 5))).names == ("ganglion_current_ON", "ganglion_current_OFF")


def test_what_is_not_asked_for_is_not_kept() -> None:
    """The leak that contrast adds costs a film of its own, and is kept only when it is recorded."""
    retina = Retina(spikes=False)
    assert retina.bipolar is not None
    signal = torch.randn(1, 1, 5, 4, 4)
    assert retina.bipolar.respond(signal)[1] is None
    recorded = retina.bipolar.respond(signal, record=True)[1]
    assert recorded is not None and recorded.shape == signal.shape
