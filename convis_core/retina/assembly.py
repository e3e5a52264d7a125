"""The stages of a retina made from a configuration, and their numbers written back into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch

from convis_core.errors import ParameterError
from convis_core.layer import Layer
from convis_core.resolution import Resolution
from convis_core.retina.bipolar import Bipolar, CustomBipolar
from convis_core.retina.configuration import RetinaConfiguration
from convis_core.retina.configuration.schema import SACCADES
from convis_core.retina.eye_movements import EyeMovements
from convis_core.retina.ganglion_input import GanglionInput
from convis_core.retina.ganglion_spiking import AdaptiveGanglionSpiking, GanglionSpiking
from convis_core.retina.log_polar import LogPolarScheme
from convis_core.retina.luminance_gain_control import LuminanceGainControlOPLFilter
from convis_core.retina.outer_plexiform import HalfRecursiveOPLFilter, RecursiveOPLFilter
from convis_core.retina.outer_plexiform_base import OuterPlexiformFilter
from convis_core.retina.outer_plexiform_convolving import FullConvolutionOPLFilter, SeparableOPLFilter

__all__ = ["IMPLEMENTATIONS", "Options", "OuterPlexiform", "Parts", "assemble", "write_back"]

OuterPlexiform = OuterPlexiformFilter | LuminanceGainControlOPLFilter

IMPLEMENTATIONS: Final[dict[str, type[OuterPlexiformFilter]]] = {
    "recursive": RecursiveOPLFilter,
    "half_recursive": HalfRecursiveOPLFilter,
    "separable": SeparableOPLFilter,
    "full_convolution": FullConvolutionOPLFilter,
}
"""Ways to compute the linear outer plexiform layer, all with the same parameters."""

LUMINANCE = "outer-plexiform-layer.luminance-gain-control-version"
OPL, GAIN = "outer-plexiform-layer.linear-version", "contrast-gain-control"
SPIKING = ("spiking-channel", "spiking-channel-adap")


@dataclass(frozen=True)
class Parts:
    """Stages of a retina; a layer of ganglion cells is its input and, where it spikes, its neurons."""

    eye: EyeMovements | None
    opl: OuterPlexiform
    bipolar: Bipolar | None
    layers: list[tuple[GanglionInput, GanglionSpiking | None]]


@dataclass(frozen=True)
class Options:
    """What a configuration does not say: see `Retina`."""

    spikes: bool = True
    stage_delay: int = 0
    virtual_retina_logpolar: bool = False
    seed: int | None = None
    opl: str = "recursive"
    eye_movements: bool = True


def assemble(config: RetinaConfiguration, resolution: Resolution, options: Options, dtype: torch.dtype) -> Parts:
    """Make the stages that a configuration describes.

    Raises
    ------
    ParameterError
        If a value is outside of what a stage can take.
    """
    tree = config.as_dict()
    scheme = _scheme(tree.get("log-polar-scheme"), options.virtual_retina_logpolar)
    opl = _outer_plexiform(tree, scheme, options, resolution, dtype)
    layers: list[tuple[GanglionInput, GanglionSpiking | None]] = []
    for i, group in enumerate(tree["ganglion-layers"]):
        where = f"ganglion-layers.{i}"
        cells = GanglionInput(log_polar=scheme, resolution=resolution)
        _set(cells, group, where, dtype)
        channel = next((name for name in SPIKING if name in group), None)
        neurons: GanglionSpiking | None = None
        if channel is not None and options.spikes:
            kind = AdaptiveGanglionSpiking if channel.endswith("-adap") else GanglionSpiking
            seed = None if options.seed is None else options.seed + i
            neurons = kind(random_start=bool(group[channel]["random-init"]), seed=seed, resolution=resolution)
            _set(neurons, group[channel], f"{where}.{channel}", dtype)
        layers.append((cells, neurons))
    eye = _eye(tree.get(SACCADES) if options.eye_movements else None, options.seed, resolution, dtype)
    return Parts(eye, opl, _bipolar(tree, scheme, resolution, dtype), layers)


def write_back(config: RetinaConfiguration, parts: Parts) -> RetinaConfiguration:
    """Return the configuration with the numbers that the stages have now."""
    values = _changed(parts.opl, config, OPL if isinstance(parts.opl, OuterPlexiformFilter) else LUMINANCE)
    if parts.eye is not None:
        values.update(_changed(parts.eye, config, SACCADES))
    if parts.bipolar is not None:
        values.update(_changed(parts.bipolar, config, _gain_path(parts.bipolar)))
    for i, (cells, neurons) in enumerate(parts.layers):
        where = f"ganglion-layers.{i}"
        values.update(_changed(cells, config, where))
        channel = next((name for name in SPIKING if name in config.get(where)), None)
        if neurons is not None and channel is not None:
            values.update(_changed(neurons, config, f"{where}.{channel}"))
    written = RetinaConfiguration.from_dict(config.as_dict())
    written.update(values)
    return written


def _scheme(group: Mapping[str, Any] | None, virtual_retina: bool) -> LogPolarScheme | None:
    if group is None:
        return None
    return LogPolarScheme(group["fovea-radius__deg"], group["scaling-factor-outside-fovea__inv-deg"], virtual_retina)


def _eye(
    group: Mapping[str, Any] | None, seed: int | None, resolution: Resolution, dtype: torch.dtype
) -> EyeMovements | None:
    if group is None:
        return None
    eye = EyeMovements(seed=seed, resolution=resolution)
    _set(eye, group, SACCADES, dtype)
    return eye


def _outer_plexiform(
    tree: Mapping[str, Any], scheme: LogPolarScheme | None, options: Options, resolution: Resolution, dtype: torch.dtype
) -> OuterPlexiform:
    group = tree["outer-plexiform-layer"]
    if "linear-version" not in group:
        if options.opl != "recursive":
            raise ParameterError(
                f"An outer plexiform layer with luminance gain control is recursive, not {options.opl!r}.",
                "Leave opl out.",
            )
        adaptive = LuminanceGainControlOPLFilter(log_polar=scheme, resolution=resolution)
        _set(adaptive, group["luminance-gain-control-version"], LUMINANCE, dtype)
        return adaptive
    linear, kind = group["linear-version"], IMPLEMENTATIONS[options.opl]
    chosen: dict[str, Any] = {
        "n_center": linear["center-n__uint"],
        "undershoot": "undershoot" in linear,
        "leaky_heat_equation": bool(linear["leaky-heat-equation"]),
        "luminosity_range": tree["input-luminosity-range"],
        "log_polar": scheme,
        "stage_delay": options.stage_delay,
        "resolution": resolution,
    }
    opl = kind(**chosen)
    _set(opl, linear, OPL, dtype)
    if not isinstance(opl, RecursiveOPLFilter):  # whose filters are as long and wide as the values at birth ask for
        values: dict[str, Any] = {handle.name: handle.value for handle in opl.p}
        opl = kind(**chosen, **values)
        _set(opl, linear, OPL, dtype)
    return opl


def _bipolar(
    tree: Mapping[str, Any], scheme: LogPolarScheme | None, resolution: Resolution, dtype: torch.dtype
) -> Bipolar | None:
    standard, custom = tree.get(GAIN), tree.get(f"{GAIN}-custom")
    if standard is None and custom is None:
        return None
    cells: Bipolar
    if custom is None:
        cells = Bipolar(log_polar=scheme, resolution=resolution)
    else:
        symmetric = bool(custom["adaptation-ONOFF-symmetry"])
        cells = CustomBipolar(symmetric, log_polar=scheme, resolution=resolution)
    _set(cells, custom or standard or {}, _gain_path(cells), dtype)
    return cells


def _gain_path(cells: Bipolar) -> str:
    return f"{GAIN}-custom" if isinstance(cells, CustomBipolar) else GAIN


def _places(layer: Layer) -> dict[str, tuple[str, ...]]:
    """Where in its group of the configuration each parameter of a stage stands."""
    found = {}
    for name, declaration in layer.declarations().items():
        inside = declaration.key.removeprefix(f"{OPL}.") if declaration.key.startswith(OPL) else ""
        if declaration.key:
            found[name] = tuple((inside or declaration.key.rpartition(".")[2]).split("."))
    return found


def _set(layer: Layer, group: Mapping[str, Any], where: str, dtype: torch.dtype) -> None:
    layer.to(dtype)  # before, so that no digit is lost
    for name, place in _places(layer).items():
        value: Any = group
        for step in place:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:  # an undershoot that is not there, an attribute of another kind of channel
            continue
        try:
            layer.p[name].set(torch.tensor(value, dtype=torch.float64))
        except ParameterError as error:
            raise ParameterError(f"{where}.{'.'.join(place)}: {error.message}", error.remedy) from None


def _changed(layer: Layer, config: RetinaConfiguration, where: str) -> dict[str, float]:
    """Values by path that are not those of the configuration, but for its rounding to the layer's precision."""
    group = config.get(where)
    changed = {}
    for name, place in _places(layer).items():
        value: Any = group
        for step in place:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            continue
        now = layer.p[name].tensor.detach()
        if not bool(now == torch.tensor(value, dtype=now.dtype)):
            changed[".".join((where, *place))] = float(f"{now.item():.7g}")
    return changed
