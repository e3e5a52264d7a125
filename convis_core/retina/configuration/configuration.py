"""`RetinaConfiguration`: all numbers of a retina, by dotted path, from and to files."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from typing_extensions import Self

from convis_core.errors import FileFormatError
from convis_core.resolution import Resolution, default_resolution
from convis_core.retina.configuration.checking import Tree, complete
from convis_core.retina.configuration.json_file import read_json, write_json
from convis_core.retina.configuration.paths import find
from convis_core.retina.configuration.schema import RETINA
from convis_core.retina.configuration.xml_file import read_xml, write_xml

__all__ = ["RetinaConfiguration"]

_NEURON: Final = {"g-leak__Hz": 50.0, "refr-mean__sec": 0.003, "refr-stdev__sec": 0.001, "sigma-V": 0.1}
_CURRENT: Final = {
    "transient-tau__sec": 0.02,
    "transient-relative-weight": 0.7,
    "bipolar-linear-threshold": 0.0,
    "value-at-linear-threshold__Hz": 37.0,
    "bipolar-amplification__Hz": 100.0,
}
_DEFAULTS: Final[Tree] = {
    "input-luminosity-range": 1.0,
    "outer-plexiform-layer": {
        "linear-version": {
            "center-sigma__deg": 0.05,
            "center-tau__sec": 0.01,
            "surround-sigma__deg": 0.15,
            "surround-tau__sec": 0.004,
            "opl-relative-weight": 1.0,
            "opl-amplification": 10.0,
            "undershoot": {"relative-weight": 0.8, "tau__sec": 0.1},
        }
    },
    "contrast-gain-control": {
        "opl-amplification__Hz": 50.0,
        "bipolar-inert-leaks__Hz": 50.0,
        "adaptation-sigma__deg": 0.2,
        "adaptation-tau__sec": 0.005,
        "adaptation-feedback-amplification__Hz": 0.0,
    },
    "ganglion-layers": [{"sign": sign, **_CURRENT, "spiking-channel": _NEURON} for sign in (1.0, -1.0)],
}
"""The numbers of a `Retina` made without any."""


class RetinaConfiguration:
    """All numbers of a retina: a tree of groups with the names of a Virtual Retina file.

    A path is a chain of names and dots, from the element ``retina`` on: ``pixels-per-degree``,
    ``outer-plexiform-layer.linear-version.center-sigma__deg``. There are two lists,
    ``ganglion-layers`` and the ``all-units`` of a spiking channel: ``.0`` is the first element,
    ``.*`` all of them, ``.+`` a new one at the end, ``.=1`` number 1, appended if there is only
    number 0. ``basic-microsaccade-generator`` counts as part of the retina.

    Every value has the unit its name ends in: s, deg, Hz, 1/deg. A group holds all its values,
    the file's own defaults standing in for those not given; groups that are optional may be
    absent.

    Parameters
    ----------
    values : mapping, optional
        Values by path, set on top of the defaults, which are those of `Retina`: an ON and an OFF
        layer, a luminance range of 1, and the time step and pixels of the default resolution.

    Examples
    --------
    >>> config = RetinaConfiguration({"pixels-per-degree": 20.0})
    >>> config.set("ganglion-layers.*.spiking-channel.sigma-V", 0.0)
    >>> config.set("ganglion-layers.+", {"sign": 1, "sigma-pool__deg": 0.1})
    >>> config.get("ganglion-layers.*.sign"), config.get("ganglion-layers.2.transient-tau__sec")
    ([1.0, -1.0, 1.0], 0.04)

    References
    ----------
    Wohrer A., Kornprobst P. (2009), J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        here = default_resolution()
        units = {"temporal-step__sec": here.step, "pixels-per-degree": here.pixel_per_degree}
        self._tree = complete({**units, **_DEFAULTS}, RETINA, "retina")
        self.update(values or {})

    @property
    def resolution(self) -> Resolution:
        """Sampling of space and time that it is meant for."""
        return Resolution(self.get("pixels-per-degree"), 1.0 / self.get("temporal-step__sec"))

    def get(self, path: str) -> Any:
        """Return a copy of what stands at a path: a number, a group as a dict, a list; with ``*`` a list of them.

        Raises
        ------
        UnknownNameError
            If there is nothing; the message lists what there is.
        """
        found = [copy.deepcopy(holder[key]) for holder, key in find(self._tree, path)]
        return found if "*" in path.split(".") else found[0]

    def set(self, path: str, value: Any) -> None:
        """Set a number, or a whole group by a dict; groups on the way are made with their defaults.

        Raises
        ------
        UnknownNameError
            If there is no such path, or a ``*`` in it stands for nothing.
        ParameterError
            If the value is not allowed. Nothing has then changed.
        """
        self.update({path: value})

    def update(self, values: Mapping[str, Any]) -> None:
        """Set several paths, one after another; all of them or, on an error, none."""
        tree = self.as_dict()
        for path, value in values.items():
            for holder, key in find(tree, path, write=True):
                holder[key] = copy.deepcopy(value)
        self._tree = complete(tree, RETINA, "retina")

    def remove(self, path: str) -> None:
        """Take an optional group or an element of a list out; a number goes back to the file's default."""
        tree = self.as_dict()
        for holder, key in reversed(find(tree, path)):  # from the back, so that numbers in lists stay right
            del holder[key]
        self._tree = complete(tree, RETINA, "retina")

    def as_dict(self) -> Tree:
        """Return a copy of the whole tree, of dicts, lists and numbers."""
        return copy.deepcopy(self._tree)

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Self:
        """Make one of a tree such as `as_dict` returns; what is not given has the default of the files."""
        config = cls.__new__(cls)
        config._tree = complete(tree, RETINA, "retina")
        return config

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a Virtual Retina XML file (.xml) or JSON (.json).

        Unknown names give a warning. Entities, document types and network access are refused.

        Raises
        ------
        FileFormatError
            If the file is missing or broken.
        ParameterError
            If a value is not allowed; the message names file, line, unit and range.
        """
        return cls.from_dict((read_json if _kind(path) == ".json" else read_xml)(path))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write all values to a .xml or .json file, so that a crash leaves the old file or the new one."""
        (write_json if _kind(path) == ".json" else write_xml)(self._tree, path)

    def __eq__(self, other: object) -> bool:
        return self._tree == other._tree if isinstance(other, RetinaConfiguration) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        signs = ", ".join(f"{layer['sign']:+g}" for layer in self.get("ganglion-layers")) or "none"
        step, pixels = self.get("temporal-step__sec"), self.get("pixels-per-degree")
        return f"RetinaConfiguration(step {step:g} s, {pixels:g} pixels/deg, ganglion layers: {signs})"


def _kind(path: str | os.PathLike[str]) -> str:
    kind = Path(path).suffix.lower()
    if kind not in (".xml", ".json"):
        raise FileFormatError(
            f"Cannot tell what kind of configuration {os.fspath(path)!r} is.", "Let its name end in .xml or .json."
        )
    return kind
