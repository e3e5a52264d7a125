"""The whole retina, from luminance to the spikes of ganglion cells."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import Self

from convis_core.errors import ParameterError
from convis_core.filters.spiking.stochastic import check_seed
from convis_core.layer import Layer
from convis_core.loops.run import Chunk, run_model, stream_model
from convis_core.ops.compiled import share_work
from convis_core.output import Events, Output
from convis_core.resolution import Resolution, used_resolution
from convis_core.retina.assembly import IMPLEMENTATIONS, Options, OuterPlexiform, Parts, assemble, write_back
from convis_core.retina.bipolar import Bipolar
from convis_core.retina.configuration import RetinaConfiguration
from convis_core.retina.eye_movements import EyeMovements
from convis_core.retina.mosaic import Mosaic
from convis_core.retina.recording import Recording, check_stages
from convis_core.retina.stage_delay import StageDelay

__all__ = ["Retina"]

Described = RetinaConfiguration | Mapping[str, Any] | str | os.PathLike[str] | None
"""What a retina can be described by: a configuration, values by path, a file, or nothing."""


class Retina(Layer):
    r"""Retina: outer plexiform layer, bipolar cells with contrast gain control, ganglion cells.

    .. math::

        \text{luminance} \to \text{OPL} \to \text{bipolar} \to
        \{ \text{ganglion current}_i \to \text{spikes}_i \}

    With default values there is a layer of ON and one of OFF ganglion cells, one cell per pixel
    and layer. Every stage is a layer of its own and can be found under ``retina.m``, its
    parameters under ``retina.p``: ``opl``, ``bipolar``, and for each layer ``gang_0_input``
    and ``gang_0_spikes``. The gain control is off, ``retina.p.bipolar.lambda_amp.set(100.0)``
    switches it on.

    Parameters
    ----------
    configuration : RetinaConfiguration, path or mapping of values by path, optional
        What the retina is like; see `RetinaConfiguration`. An object, a .xml file of Virtual
        Retina, a .json file, or what differs from the default.
    bipolar : bool
        False leaves the bipolar cells out, whatever the configuration says.
    spikes : bool
        Whether ganglion cells spike that are configured to; otherwise the outputs are their
        currents, in Hz, which are differentiable in the input and in every parameter.
    stage_delay : int
        Steps from one stage to the next. 0, or 1 to be equal to Virtual Retina step by step.
    virtual_retina_logpolar : bool
        Where the configuration has a log-polar scheme, blur as Virtual Retina does: skewed by a
        fraction of a pixel, and darker at the border.
    opl : {"recursive", "half_recursive", "separable", "full_convolution"}
        How a linear outer plexiform layer is computed: `RecursiveOPLFilter`,
        `HalfRecursiveOPLFilter`, `SeparableOPLFilter` or `FullConvolutionOPLFilter`, which agree
        with each other. A configuration does not say, and `to_configuration` does not either.
    eye_movements : bool
        Whether microsaccades that the configuration has are made: the retina then sees a window that
        jumps over the images (`retina.m.eye`). False shows it the images as they are.
    seed : int, optional
        With a seed every fresh start repeats the same noise, and the same path of the eye.
    resolution : Resolution, optional
        Sampling of space and time; by default that of the configuration.

    Examples
    --------
    >>> import convis_core as convis
    >>> o = Retina(seed=1).run(convis.samples.moving_bar(200))
    >>> o.names, o.ganglion_spikes_ON.shape
    (('ganglion_spikes_ON', 'ganglion_spikes_OFF'), torch.Size([1, 1, 200, 20, 20]))

    References
    ----------
    Wohrer A., Kornprobst P. (2009), Virtual Retina: a biological retina model and simulator,
    with contrast gain control, J. Comput. Neurosci. 26, 219-249, doi:10.1007/s10827-008-0108-4.
    """

    output_names: tuple[str, ...] = ("ganglion_spikes_ON", "ganglion_spikes_OFF")
    stochastic: ClassVar[bool] = True
    differentiable: ClassVar[bool] = False
    example_arguments: ClassVar[dict[str, Any]] = {"seed": 1}

    eye: EyeMovements | None
    opl: OuterPlexiform
    bipolar: Bipolar | None

    def __init__(
        self,
        configuration: Described = None,
        *,
        bipolar: bool = True,
        spikes: bool = True,
        stage_delay: int = 0,
        virtual_retina_logpolar: bool = False,
        opl: str = "recursive",
        eye_movements: bool = True,
        seed: int | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        config = _configuration(configuration, resolution)
        super().__init__(resolution=resolution or config.resolution)
        if stage_delay not in (0, 1):
            raise ParameterError(f"stage_delay must be 0 or 1 step, got {stage_delay!r}.")
        seed = check_seed(seed)
        if opl not in tuple(IMPLEMENTATIONS):
            raise ParameterError(f"opl must be one of {', '.join(map(repr, IMPLEMENTATIONS))}, got {opl!r}.")
        self.stage_delay = stage_delay
        self._options = Options(spikes, stage_delay, virtual_retina_logpolar, seed, opl, eye_movements)
        self._record: tuple[str, ...] = ()
        self._is_still = False
        self._has_bipolar = bipolar
        self._build(config, self.resolution)

    @classmethod
    def from_xml(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """Make a retina from a Virtual Retina file; options are those of the class.

        ``Retina.from_xml(path, stage_delay=1, virtual_retina_logpolar=True)`` gives the numbers
        that Virtual Retina gives.
        """
        return cls(RetinaConfiguration.read(path), **options)

    def parse_config(self, configuration: Described) -> None:
        """Become the retina that a file or configuration describes, with its time step and pixels.

        All stages are made anew, so that what was learnt and remembered is gone; whether the
        retina spikes, moves its eye or has bipolar cells, how its outer plexiform layer is computed, its delays and its
        seed stay as they were chosen when it was made. On an error it stays the retina that it was.
        """
        config = _configuration(configuration, None)
        self._build(config, config.resolution)
        self.optimizer = None
        self._forget_geometry()

    def to_configuration(self) -> RetinaConfiguration:
        """Describe the retina as it is now, with the parameters that were set or fitted."""
        return write_back(self._configuration, self._parts())

    def _build(self, config: RetinaConfiguration, resolution: Resolution) -> None:
        if not self._has_bipolar:
            for gain in ("contrast-gain-control", "contrast-gain-control-custom"):
                if gain in config.as_dict():
                    config.remove(gain)
        parts = assemble(config, resolution, self._options, self.dtype)
        self._mosaic = Mosaic(config, parts, self._options.seed)
        for name in list(self._modules):
            delattr(self, name)
        self._configuration, self.resolution = config, resolution
        self.eye, self.opl, self.bipolar, self.n_layers = parts.eye, parts.opl, parts.bipolar, len(parts.layers)
        for i, (current, neurons) in enumerate(parts.layers):
            self.add_module(f"gang_{i}_input", current)
            self.add_module(f"gang_{i}_spikes", neurons)
        if self.stage_delay:
            names = [f"{i}_{what}" for i in range(self.n_layers) for what in ("transient", "current")]
            for name in ("opl", "bipolar", *names):
                self.add_module(f"delay_{name}", StageDelay(resolution=self.resolution))
        self.to(self.device)
        self.spiking = bool(parts.layers) and all(neurons is not None for _, neurons in parts.layers)
        self.output_names = self._names()

    def _parts(self) -> Parts:
        """Return the stages that there are."""
        layers = [(getattr(self, f"gang_{i}_input"), getattr(self, f"gang_{i}_spikes")) for i in range(self.n_layers)]
        return Parts(self.eye, self.opl, self.bipolar, layers)

    def _names(self) -> tuple[str, ...]:
        """Names of the outputs: the first ON and the first OFF layer by their sign, the others by their number."""
        names: list[str] = []
        for i, (cells, neurons) in enumerate(self._parts().layers):
            what = "ganglion_current" if neurons is None else "ganglion_spikes"
            sign = "ON" if float(cells.sign.detach()) > 0 else "OFF"
            is_first = not any(name.endswith(f"_{sign}") for name in names)
            names.append(f"{what}_{sign if is_first else i}")
        return tuple(names) or (("opl",) if self.bipolar is None else ("bipolar",))

    # Running --------------------------------------------------------------------------------

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that `run` can record."""
        bipolar = () if self.bipolar is None else ("bipolar", "adaptation")
        return ("receptor", "horizontal", "opl", *bipolar, *(f"ganglion_{i}" for i in range(self.n_layers)))

    def run(
        self,
        source: Any,
        dt: int | None = None,
        max_t: int | None = None,
        *,
        grad: bool = False,
        progress: bool = False,
        record: str | Iterable[str] = (),
    ) -> Output:
        """Run over a source and collect the responses, and the stages asked for by name.

        Parameters
        ----------
        source, dt, max_t, grad, progress
            As for `Layer.run`.
        record : sequence of str
            Stages to record as well: ``receptor``, ``horizontal`` and ``opl`` (pure numbers),
            ``bipolar``, ``adaptation`` (Hz), ``ganglion_0``, ``ganglion_1``, ... (currents, Hz).

        Returns
        -------
        Output
        """
        model = Recording(self, check_stages(record, self.stages))
        return run_model(model, source, dt, max_t=max_t, grad=grad, progress=progress)

    def stream(
        self,
        source: Any,
        dt: int | None = None,
        *,
        max_t: int | None = None,
        grad: bool = False,
        record: str | Iterable[str] = (),
    ) -> Iterator[Chunk]:
        """Iterate over a source in chunks, with the stages asked for; see `run`."""
        return stream_model(Recording(self, check_stages(record, self.stages)), source, dt, max_t=max_t, grad=grad)

    @contextmanager
    def recording(self, record: tuple[str, ...]) -> Iterator[None]:
        """Have ``forward`` return the named stages after the outputs."""
        before, self._record = self._record, record
        try:
            yield
        finally:
            self._record = before

    def settle(self, luminance: float) -> None:
        """Begin, now and after every `clear_state`, adapted to a uniform luminance.

        The outer plexiform layer is then in its steady state, all later stages at rest. Before
        this is called, a fresh start takes the first frame to have lasted for ever.
        """
        self.opl.settle(luminance)
        self.clear_state()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self._mosaic.look(x if self.eye is None or self._is_still else self.eye(x))
        found: dict[str, Tensor] = {}
        found["receptor"], found["horizontal"], signal = self.opl.stages(x)
        found["opl"] = signal
        if self.bipolar is not None:
            signal, adaptation = self.bipolar.respond(self._delayed("opl", signal), record="adaptation" in self._record)
            found["bipolar"] = signal
            if adaptation is not None:
                found["adaptation"] = adaptation
        layers = self._ganglion_layers(self._delayed("bipolar", signal))
        found.update({f"ganglion_{i}": current for i, (current, _) in enumerate(layers)})
        answers = [spikes for _, spikes in layers] or [found[name] for name in self.output_names]
        return (*answers, *(found[name] for name in self._record))

    def impulse_response(self, *arguments: Any, **options: Any) -> Output:
        """Change of the responses that one bright pixel makes, seen by an eye at rest; see `Layer.impulse_response`."""
        self._is_still = True
        try:
            return super().impulse_response(*arguments, **options)
        finally:
            self._is_still = False

    def as_output(self, result: Any, start: int = 0) -> Output:
        """Wrap what ``forward`` returned, with the exact times of the spikes."""
        tensors = (result,) if isinstance(result, Tensor) else tuple(result)
        names = (*self.output_names, *self._record)
        return Output(tensors, names, self.resolution, start, self._events())

    def _events(self) -> dict[str, Events]:
        """Spikes of the last chunk by the name of their layer."""
        return {
            name: self._mosaic.unit_events(i, neurons.events)
            for i, (name, (_, neurons)) in enumerate(zip(self.output_names, self._parts().layers, strict=False))
            if neurons is not None
        }

    def unit_positions(self) -> list[Any]:
        """Positions of the cells of each layer, in deg from the centre to the right and down; None for one a pixel.

        They are known once the retina has seen the size of its images.
        """
        return [None if neurons is None else neurons.positions for _, neurons in self._parts().layers]

    def _ganglion_layers(self, v: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Current and response of every layer of ganglion cells, side by side where no gradient is asked for."""
        answers: dict[int, tuple[Tensor, Tensor]] = {}
        gradients = torch.is_grad_enabled()

        def answer(i: int) -> None:
            with torch.set_grad_enabled(gradients):  # which is a setting of each thread
                answers[i] = self._ganglion_layer(i, v)

        tasks = [(i,) for i in range(self.n_layers)]
        if gradients or v.device.type != "cpu" or not self._seeded():
            for task in tasks:
                answer(*task)
        else:
            share_work(answer, tasks)
        return [answers[i] for i in range(self.n_layers)]

    def _seeded(self) -> bool:
        """Whether the noise of this run is known, so that the order of the layers does not matter any more."""
        neurons = [layer for _, layer in self._parts().layers if layer is not None]
        return all(getattr(layer, "noise_seed", 0) is not None for layer in neurons)

    def _ganglion_layer(self, i: int, v: Tensor) -> tuple[Tensor, Tensor]:
        cells = getattr(self, f"gang_{i}_input")
        current = cells(v)
        if bool(cells.transient_relative_weight_center != 0):
            current = self._delayed(f"{i}_transient", current, cells.resting_current())
        neurons = getattr(self, f"gang_{i}_spikes")
        if neurons is None:
            return current, current
        return current, neurons(self._delayed(f"{i}_current", current))

    def _delayed(self, stage: str, x: Tensor, before: Tensor | float = 0.0) -> Tensor:
        """Hand the signal of a stage on, a step later where stages cost a step."""
        if not self.stage_delay:
            return x
        delay: StageDelay = getattr(self, f"delay_{stage}")
        return delay.shift(x, before)


def _configuration(described: Described, resolution: Resolution | None) -> RetinaConfiguration:
    if isinstance(described, RetinaConfiguration):
        return RetinaConfiguration.from_dict(described.as_dict())
    if described is None or isinstance(described, Mapping):
        here = used_resolution(resolution)
        units = {"temporal-step__sec": here.step, "pixels-per-degree": here.pixel_per_degree}
        return RetinaConfiguration({**units, **(described or {})})
    if not isinstance(described, (str, os.PathLike)):
        raise ParameterError(
            f"A retina is described by a configuration, a file or values by path, got {described!r}.",
            "For example Retina({'pixels-per-degree': 20}).",
        )
    return RetinaConfiguration.read(described)
