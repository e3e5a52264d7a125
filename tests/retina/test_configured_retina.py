"""From a configuration to a retina and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core.errors import FileFormatError, ParameterError, UnknownNameError
from convis_core.retina import CustomBipolar, RecursiveOPLFilter, Retina, RetinaConfiguration

LINEAR = "outer-plexiform-layer.linear-version"


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "reference" / "virtualretina"


def test_the_default_retina_is_the_default_configuration() -> None:
    assert Retina().to_configuration() == RetinaConfiguration()
    assert Retina(RetinaConfiguration()).p.opl.lambda_opl.value == 10.0
    with pytest.raises(UnknownNameError):
        Retina({"outer-plexiform-layer.no-such-number": 1.0})


def test_every_file_comes_back_as_it_was(folder: Path) -> None:
    """Read, made into a retina, and described again: nothing has changed but what was never given."""
    files = [*sorted((folder / "configs").glob("*.xml")), *sorted((folder / "examples").glob("*.xml"))]
    assert len(files) == 30
    for path in files:
        config = RetinaConfiguration.read(path)
        assert Retina.from_xml(path).to_configuration() == config, path.name


def test_what_was_set_or_fitted_is_described(tmp_path: Path) -> None:
    retina = Retina()
    retina.p.bipolar.lambda_amp.set(100.0)
    retina.p.opl.sigma_center.set(0.07)
    retina.p.gang_1_input.i_0.set(50.0)
    retina.p.gang_0_spikes.noise_sigma.set(0.2)
    config = retina.to_configuration()
    assert config.get("contrast-gain-control.adaptation-feedback-amplification__Hz") == 100.0
    assert config.get(f"{LINEAR}.center-sigma__deg") == 0.07
    assert config.get("ganglion-layers.*.value-at-linear-threshold__Hz") == [37.0, 50.0]
    assert config.get("ganglion-layers.*.spiking-channel.sigma-V") == [0.2, 0.1]
    config.write(tmp_path / "fitted.xml")
    again = Retina.from_xml(tmp_path / "fitted.xml")
    assert {h.name: h.value for h in again.p} == {h.name: h.value for h in retina.p}


def test_a_retina_becomes_another(folder: Path) -> None:
    retina = Retina(stage_delay=1, virtual_retina_logpolar=True, seed=1)
    retina.run(np.random.default_rng(1).random((20, 6, 7)))
    retina.parse_config(folder / "examples" / "EXAMPLE_primate_ParvoMagno.xml")
    assert retina.resolution == Resolution(20.0, 200.0)
    assert retina.n_layers == 4 and retina.output_names[:2] == ("ganglion_spikes_ON", "ganglion_spikes_OFF")
    assert isinstance(retina.opl, RecursiveOPLFilter) and retina.opl.leaky_heat_equation
    assert retina.opl.log_polar is not None and retina.opl.log_polar.virtual_retina
    assert retina.p.gang_2_input.sigma_surround.value == pytest.approx(0.1)
    retina.parse_config(folder / "configs" / "cgc_custom.xml")
    assert isinstance(retina.bipolar, CustomBipolar) and not retina.bipolar.symmetric
    assert retina.output_names == ("bipolar",) and not any(
        name.startswith(("gang", "delay_0")) for name in retina._modules
    )
    retina.parse_config(RetinaConfiguration())
    assert {h.name for h in retina.p} == {h.name for h in Retina().p}


@pytest.mark.parametrize(
    "bad",
    [
        {"ganglion-layers.0.transient-tau__sec": 0.0},
        {"ganglion-layers.0.spiking-channel.square-array.uniform-density__inv-deg": 0.0},
    ],
    ids=["a stage", "an array"],
)
def test_a_retina_that_cannot_become_another_stays_what_it_was(bad: dict[str, float]) -> None:
    retina, twin = Retina(seed=1), Retina(seed=1)
    retina.set_optimizer.Adam()
    frames = np.random.default_rng(0).random((40, 5, 6))
    for model in (retina, twin):
        model.run(frames)
    with pytest.raises(ParameterError):
        retina.parse_config({"temporal-step__sec": 0.005, "pixels-per-degree": 33.0, **bad})
    assert retina.resolution == twin.resolution and retina.optimizer is not None
    np.testing.assert_array_equal(retina.run(frames).array(0), twin.run(frames).array(0))


@pytest.mark.parametrize("described", [3, [1], object()])
def test_what_describes_no_retina_is_refused(described: object) -> None:
    with pytest.raises(ParameterError, match="described by a configuration, a file or values by path"):
        Retina(described)  # type: ignore[arg-type]


def test_parts_can_be_left_out() -> None:
    assert Retina(bipolar=False).bipolar is None
    assert Retina(spikes=False).output_names == ("ganglion_current_ON", "ganglion_current_OFF")
    retina = Retina()
    retina.double()
    retina.parse_config({"ganglion-layers.*.transient-tau__sec": 0.03})
    assert retina.p.gang_0_input.transient_tau_center.tensor.item() == 0.03, "no digit is lost"


def test_numbers_that_a_stage_cannot_take_are_named() -> None:
    with pytest.raises(ParameterError, match=r"contrast-gain-control.adaptation-tau__sec: .*between 1e-05 and 100 s"):
        Retina({"contrast-gain-control.adaptation-tau__sec": 1000.0})
    with pytest.raises(FileFormatError):
        Retina.from_xml("no-such-file.xml")


def test_the_range_of_luminance_divides() -> None:
    frames = torch.rand(30, 5, 5)
    plain = Retina(spikes=False).run(frames)
    wide = Retina({"input-luminosity-range": 255.0}, spikes=False).run(255.0 * frames)
    torch.testing.assert_close(wide[0], plain[0], rtol=1e-4, atol=1e-3)
