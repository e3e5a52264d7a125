"""What a configuration may hold: every element and attribute of a Virtual Retina file, with unit, range and default."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["RETINA", "SACCADES", "Attribute", "Element"]

Bounds = tuple[float, float]
ANY: Final[Bounds] = (-math.inf, math.inf)
POSITIVE: Final[Bounds] = (0.0, math.inf)
_UNITS: Final = {"sec": "s", "deg": "deg", "Hz": "Hz", "inv-deg": "1/deg", "pi-radians": "pi rad"}


@dataclass(frozen=True)
class Attribute:
    """One number.

    Attributes
    ----------
    default : float or None
        What it is where a file does not say; None where there is no default.
    bounds : tuple of float
        Smallest and largest value allowed.
    is_whole : bool
        Whether it must be a whole number: a count, or 1 for yes and 0 for no.
    is_optional : bool
        Whether one without a default may be missing.
    """

    default: float | None = None
    bounds: Bounds = POSITIVE
    is_whole: bool = False
    is_optional: bool = False

    def range(self) -> str:
        """Write what is allowed, for a message."""
        what = "a whole number" if self.is_whole else "a number"
        lo, hi = self.bounds
        if math.isinf(hi):
            return what if math.isinf(lo) else f"{what} of {lo:g} or more"
        return f"{what} from {lo:g} to {hi:g}"


@dataclass(frozen=True)
class Element:
    """What stands in one element.

    Attributes
    ----------
    attributes : mapping
        Its numbers by name.
    children : mapping
        Elements of which it holds at most one each, by tag.
    lists : mapping
        Elements of which it holds any number: the name of the list, the tag of one of them, the
        element, and whether the list has an element of its own in the file.
    choices : tuple
        Tags of which there can be only one, and whether there must be one.
    """

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    children: Mapping[str, Element] = field(default_factory=dict)
    lists: Mapping[str, Listed] = field(default_factory=dict)
    choices: tuple[tuple[tuple[str, ...], bool], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that it can hold, as in a path."""
        return (*self.attributes, *self.children, *self.lists)


@dataclass(frozen=True)
class Listed:
    """A list of elements; `is_wrapped` says whether its name is the tag of an element around it."""

    tag: str
    element: Element
    is_wrapped: bool = False


def unit_of(name: str) -> str:
    """Read the unit off the name of an attribute.

    Examples
    --------
    >>> unit_of("center-sigma__deg"), unit_of("sigma-V")
    ('deg', '')
    """
    return _UNITS.get(name.partition("__")[2], "")


def flag(default: float) -> Attribute:
    return Attribute(default, (0, 1), is_whole=True)


UNDERSHOOT: Final = Element({"relative-weight": Attribute(), "tau__sec": Attribute()})

LINEAR: Final = Element(
    {
        "center-sigma__deg": Attribute(0.0),
        "center-tau__sec": Attribute(0.01),
        "center-n__uint": Attribute(0, is_whole=True),
        "surround-sigma__deg": Attribute(1.0),
        "surround-tau__sec": Attribute(0.01),
        "opl-relative-weight": Attribute(0.0),
        "leaky-heat-equation": flag(0),
        "opl-amplification": Attribute(1.0),
    },
    {"undershoot": UNDERSHOOT},
)

LUMINANCE_GAIN: Final = Element(
    {
        "input-amplification-phototransduction": Attribute(1.0),
        "sigma-receptors__deg": Attribute(0.0),
        "tau-phototransduction__sec": Attribute(0.01),
        "sigma-horizontal-cells__deg": Attribute(1.0),
        "additional-tau-horizontal-cells__sec": Attribute(0.01),
        "relative-weight-surround-center": Attribute(0.0),
        "inert-leak-in-receptors": Attribute(10.0),
        "horizontal-feedback-amplification": Attribute(200.0),
        "horizontal-feedback-nernst-potential": Attribute(0.0, ANY),
    }
)

CONTRAST_GAIN: Final = Element(
    {
        "opl-amplification__Hz": Attribute(100.0),
        "bipolar-inert-leaks__Hz": Attribute(10.0),
        "adaptation-sigma__deg": Attribute(1.0),
        "adaptation-tau__sec": Attribute(0.01),
        "adaptation-feedback-amplification__Hz": Attribute(100.0),
    }
)

CONTRAST_GAIN_CUSTOM: Final = Element(
    {
        **CONTRAST_GAIN.attributes,
        "adaptation-powerlaw-exponent": Attribute(2.0),
        "adaptation-E-inh": Attribute(0.0, ANY),
        "adaptation-ONOFF-symmetry": flag(1),
        "bipolar-to-adaptation-threshold": Attribute(0.0),
        "transient-relative-weight": Attribute(0.0, ANY),
        "transient-tau__sec": Attribute(0.03),
    }
)

UNIT: Final = Element(
    {
        "x-offset__deg": Attribute(0.0, ANY),
        "y-offset__deg": Attribute(0.0, ANY),
        "mvaspike-id": Attribute(is_whole=True, is_optional=True),
    }
)

SPIKING: Final = Element(
    {
        "g-leak__Hz": Attribute(50.0),
        "refr-mean__sec": Attribute(0.003),
        "refr-stdev__sec": Attribute(0.0),
        "sigma-V": Attribute(0.0),
        "random-init": flag(0),
    },
    {
        "square-array": Element(
            {
                "size-x__deg": Attribute(0.0),
                "size-y__deg": Attribute(0.0),
                "uniform-density__inv-deg": Attribute(1.0),
                "noise_pos": Attribute(0.0),
            }
        ),
        "circular-array": Element(
            {
                "diameter__deg": Attribute(0.0),
                "fovea-density__inv-deg": Attribute(1.0),
                "noise_pos": Attribute(0.0),
            }
        ),
    },
    {"all-units": Listed("unit", UNIT, is_wrapped=True)},
    ((("square-array", "circular-array"), False),),
)

SPIKING_ADAPTIVE: Final = Element(
    {
        **SPIKING.attributes,
        "delta-g-adap__Hz": Attribute(0.0),
        "tau-g-adap__sec": Attribute(0.0),
        "E-adap": Attribute(0.0, ANY),
    },
    SPIKING.children,
    SPIKING.lists,
    SPIKING.choices,
)

GANGLION: Final = Element(
    {
        "sign": Attribute(1.0, (-1.0, 1.0)),
        "transient-tau__sec": Attribute(0.04),
        "transient-relative-weight": Attribute(0.75),
        "bipolar-linear-threshold": Attribute(0.0, ANY),
        "value-at-linear-threshold__Hz": Attribute(70.0),
        "bipolar-amplification__Hz": Attribute(100.0),
        "sigma-pool__deg": Attribute(0.0),
    },
    {"spiking-channel": SPIKING, "spiking-channel-adap": SPIKING_ADAPTIVE},
    choices=((("spiking-channel", "spiking-channel-adap"), False),),
)

SACCADES: Final = "basic-microsaccade-generator"
"""The one element that stands beside that of the retina in the file, and in it here."""

RETINA: Final = Element(
    {
        "temporal-step__sec": Attribute(1.0, (1e-9, math.inf)),
        "input-luminosity-range": Attribute(255.0, (1e-12, math.inf)),
        "pixels-per-degree": Attribute(1.0, (1e-9, math.inf)),
    },
    {
        SACCADES: Element(
            {
                "period-mean__sec": Attribute(0.2),
                "period-stdev__sec": Attribute(0.04),
                "amplitude-mean__deg": Attribute(10.0),
                "amplitude-stdev__deg": Attribute(0.04),
                "saccade-duration-mean__sec": Attribute(10.0),
                "saccade-duration-stdev__sec": Attribute(0.04),
                "angular-noise__pi-radians": Attribute(0.3),
            }
        ),
        "log-polar-scheme": Element(
            {"fovea-radius__deg": Attribute(1.0), "scaling-factor-outside-fovea__inv-deg": Attribute(1.0)}
        ),
        "outer-plexiform-layer": Element(
            children={"linear-version": LINEAR, "luminance-gain-control-version": LUMINANCE_GAIN},
            choices=((("linear-version", "luminance-gain-control-version"), True),),
        ),
        "contrast-gain-control": CONTRAST_GAIN,
        "contrast-gain-control-custom": CONTRAST_GAIN_CUSTOM,
    },
    {"ganglion-layers": Listed("ganglion-layer", GANGLION)},
    (
        (("outer-plexiform-layer",), True),
        (("contrast-gain-control", "contrast-gain-control-custom"), False),
    ),
)
