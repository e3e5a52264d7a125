"""The outer plexiform layer of a retina, computed in any of four ways."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from convis_core.errors import ParameterError
from convis_core.retina import (
    FullConvolutionOPLFilter,
    HalfRecursiveOPLFilter,
    RecursiveOPLFilter,
    Retina,
    RetinaConfiguration,
    SeparableOPLFilter,
)
from tests.retina.virtual_retina import film

KINDS = {
    "recursive": RecursiveOPLFilter,
    "half_recursive": HalfRecursiveOPLFilter,
    "separable": SeparableOPLFilter,
    "full_convolution": FullConvolutionOPLFilter,
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_agree_on_a_stored_configuration(shared: Path, kind: str) -> None:
    """Within 1 % of the peak, at every pixel, from the outer plexiform layer to the current of the ganglion cells."""
    config = RetinaConfiguration.read(shared / "reference" / "virtualretina" / "configs" / "full_no_spikes.xml")
    config.set("outer-plexiform-layer.linear-version.leaky-heat-equation", 0)
    frames, luminance = film(shared, "bar")
    retina, plain = (Retina(config, opl=how, stage_delay=1, spikes=False) for how in (kind, "recursive"))
    assert type(retina.opl) is KINDS[kind]
    for model in (retina, plain):
        model.settle(luminance)
    got, wanted = (model.run(frames, dt=40, record=["opl"]) for model in (retina, plain))
    for name in wanted.names:
        assert (got[name] - wanted[name]).abs().max() < 0.01 * wanted[name].abs().max(), name
    assert retina.to_configuration() == config


@pytest.mark.parametrize("kind", KINDS)
def test_filters_are_as_long_as_the_configuration_needs(kind: str) -> None:
    """Not as the default time constants do."""
    config = {
        "outer-plexiform-layer.linear-version.center-tau__sec": 0.05,
        "outer-plexiform-layer.linear-version.undershoot.tau__sec": 0.3,
        "outer-plexiform-layer.linear-version.surround-sigma__deg": 0.4,
    }
    retina = Retina(config, opl=kind, spikes=False, bipolar=False)
    twin = Retina(config, spikes=False, bipolar=False)
    flash = torch.zeros(600, 9, 9)
    flash[50:, 3:6, 3:6] = 1.0
    got, wanted = (model.run(flash, record="opl")["opl"] for model in (retina, twin))
    assert (got - wanted).abs().max() < 0.01 * wanted.abs().max()
    retina.p.opl.tau_center.set(0.06)
    written = retina.to_configuration()
    assert written.get("outer-plexiform-layer.linear-version.center-tau__sec") == 0.06
    retina.parse_config(written)
    assert type(retina.opl) is KINDS[kind]


def test_what_cannot_be_is_refused(shared: Path) -> None:
    with pytest.raises(ParameterError, match=r"opl must be one of 'recursive', .*got 'fast'"):
        Retina(opl="fast")
    folder = shared / "reference" / "virtualretina" / "configs"
    with pytest.raises(ParameterError, match="luminance gain control is recursive, not 'separable'"):
        Retina.from_xml(folder / "opl_luminance_gain_control.xml", opl="separable")
    with pytest.raises(ParameterError, match="log-polar"):
        Retina.from_xml(folder / "opl_logpolar.xml", opl="full_convolution")
    with pytest.raises(ParameterError, match="does not separate"):
        Retina.from_xml(folder / "opl_leaky.xml", opl="separable")
