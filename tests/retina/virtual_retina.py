"""Retinas as the configurations beside the stored maps describe them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lxml import etree

from convis_core import Resolution
from convis_core.layer import Layer
from convis_core.retina import Bipolar, CustomBipolar, LogPolarScheme, RecursiveOPLFilter, Retina

OPL = {
    "sigma_center": ("center-sigma__deg", 0.0),
    "tau_center": ("center-tau__sec", 0.01),
    "sigma_surround": ("surround-sigma__deg", 1.0),
    "tau_surround": ("surround-tau__sec", 0.01),
    "relative_weight": ("opl-relative-weight", 0.0),
    "lambda_opl": ("opl-amplification", 1.0),
}
UNDERSHOOT = {
    "undershoot_relative_weight_center": ("relative-weight", 0.0),
    "undershoot_tau_center": ("tau__sec", 0.1),
}
GAIN_CONTROL = {
    "input_amp": ("opl-amplification__Hz", 100.0),
    "g_leak": ("bipolar-inert-leaks__Hz", 10.0),
    "adaptation_sigma": ("adaptation-sigma__deg", 1.0),
    "tau": ("adaptation-tau__sec", 0.01),
    "lambda_amp": ("adaptation-feedback-amplification__Hz", 100.0),
}
CUSTOM = {
    **GAIN_CONTROL,
    "exponent": ("adaptation-powerlaw-exponent", 2.0),
    "reversal": ("adaptation-E-inh", 0.0),
    "threshold": ("bipolar-to-adaptation-threshold", 0.0),
    "transient_weight": ("transient-relative-weight", 0.0),
    "transient_tau": ("transient-tau__sec", 0.03),
}
GANGLION = {
    "sign": ("sign", 1.0),
    "transient_tau_center": ("transient-tau__sec", 0.04),
    "transient_relative_weight_center": ("transient-relative-weight", 0.75),
    "v_0": ("bipolar-linear-threshold", 0.0),
    "i_0": ("value-at-linear-threshold__Hz", 70.0),
    "lambda_G": ("bipolar-amplification__Hz", 100.0),
    "sigma_surround": ("sigma-pool__deg", 0.0),
}


def number(element: Any, attribute: str, default: float) -> float:
    return float(element.get(attribute, default))


def set_from(layer: Layer, element: Any, table: dict[str, tuple[str, float]]) -> None:
    """Set parameters in the precision of the layer, which those that come as float32 are not."""
    for name, (attribute, default) in table.items():
        layer.p[name].set(torch.tensor(number(element, attribute, default), dtype=torch.float64))


def described(path: Path, dtype: torch.dtype) -> Retina:
    """Retina without spikes from a file."""
    element = etree.parse(path).getroot().find("retina")
    resolution = Resolution(number(element, "pixels-per-degree", 1), 1 / number(element, "temporal-step__sec", 1))
    linear = element.find("outer-plexiform-layer/linear-version")
    undershoot, scheme = linear.find("undershoot"), element.find("log-polar-scheme")
    gain = element.find("contrast-gain-control")
    custom = element.find("contrast-gain-control-custom")
    layers = element.findall("ganglion-layer")
    log_polar = None
    if scheme is not None:
        radius = number(scheme, "fovea-radius__deg", 1.0)
        log_polar = LogPolarScheme(radius, number(scheme, "scaling-factor-outside-fovea__inv-deg", 1.0), True)
    retina = Retina(
        bipolar=gain is not None or custom is not None,
        spikes=False,
        signs=[number(layer, "sign", 1.0) for layer in layers],
        stage_delay=1,
        resolution=resolution,
    )
    retina.opl = RecursiveOPLFilter(
        n_center=int(number(linear, "center-n__uint", 0)),
        undershoot=undershoot is not None,
        leaky_heat_equation=bool(number(linear, "leaky-heat-equation", 0)),
        luminosity_range=number(element, "input-luminosity-range", 255),
        log_polar=log_polar,
        stage_delay=1,
        resolution=resolution,
    )
    if custom is not None:
        symmetric = bool(number(custom, "adaptation-ONOFF-symmetry", 1))
        retina.bipolar = CustomBipolar(symmetric, resolution=resolution, log_polar=log_polar)
    elif gain is not None:
        retina.bipolar = Bipolar(resolution=resolution, log_polar=log_polar)
    retina.to(dtype)
    set_from(retina.opl, linear, OPL)
    if undershoot is not None:
        set_from(retina.opl, undershoot, UNDERSHOOT)
    if retina.bipolar is not None:
        set_from(retina.bipolar, gain if custom is None else custom, GAIN_CONTROL if custom is None else CUSTOM)
    for i, layer in enumerate(layers):
        cells = retina.get_submodule(f"gang_{i}_input")
        cells.log_polar = log_polar  # type: ignore[assignment]
        set_from(cells, layer, GANGLION)  # type: ignore[arg-type]
    return retina


def film(shared: Path, name: str) -> tuple[np.ndarray[Any, Any], float]:
    """Frames of an input, and the luminance that the stored run began adapted to."""
    frames = np.load(shared / "reference" / "virtualretina" / "inputs" / f"{name}.npz")["seq"].astype(float)
    return frames, 127.5 if name in ("finland_80x64", "rocks_128x126") else 128.0
