"""The whole retina, from luminance to the spikes of ganglion cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor

from convis_core.errors import ParameterError
from convis_core.filters.spiking.integrate_and_fire import RefractoryLeakyIntegrateAndFireNeuron
from convis_core.layer import Layer
from convis_core.loops.run import Chunk, run_model, stream_model
from convis_core.ops.compiled import share_work
from convis_core.output import Output
from convis_core.resolution import Resolution
from convis_core.retina.bipolar import Bipolar
from convis_core.retina.ganglion_input import GanglionInput
from convis_core.retina.outer_plexiform import RecursiveOPLFilter
from convis_core.retina.recording import Recording, check_stages
from convis_core.retina.stage_delay import StageDelay

__all__ = ["Retina"]


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
    bipolar : bool
        Whether there are bipolar cells between the outer plexiform layer and ganglion cells.
    spikes : bool
        Whether ganglion cells spike; otherwise the outputs are their currents, in Hz, which
        are differentiable in the input and in every parameter.
    signs : sequence of float
        One layer of ganglion cells for each: 1 for ON cells, -1 for OFF cells.
    stage_delay : int
        Steps from one stage to the next. 0, or 1 to be equal to Virtual Retina step by step.
    seed : int, optional
        With a seed every fresh start repeats the same noise.

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
    kernel_unit: ClassVar[str] = "Hz"
    example_arguments: ClassVar[dict[str, Any]] = {"seed": 1}

    def __init__(
        self,
        *,
        bipolar: bool = True,
        spikes: bool = True,
        signs: Sequence[float] = (1.0, -1.0),
        stage_delay: int = 0,
        seed: int | None = None,
        resolution: Resolution | None = None,
    ) -> None:
        super().__init__(resolution=resolution)
        if stage_delay not in (0, 1):
            raise ParameterError(f"stage_delay must be 0 or 1 step, got {stage_delay!r}.")
        self.stage_delay = stage_delay
        self._record: tuple[str, ...] = ()
        here = self.resolution
        self.opl = RecursiveOPLFilter(stage_delay=stage_delay, resolution=here, lambda_opl=10.0)
        self.bipolar = Bipolar(resolution=here) if bipolar else None
        seeds = [None if seed is None else seed + i for i in range(len(signs))]
        neurons = [
            RefractoryLeakyIntegrateAndFireNeuron(seed=one, resolution=here) if spikes else None for one in seeds
        ]
        self._assemble([GanglionInput(sign=sign, resolution=here) for sign in signs], neurons)

    def _assemble(self, inputs: Sequence[GanglionInput], spiking: Sequence[Layer | None]) -> None:
        """Take layers of ganglion cells, each with its input and, where it spikes, its neurons."""
        self.n_layers = len(inputs)
        for i, (current, neurons) in enumerate(zip(inputs, spiking, strict=True)):
            self.add_module(f"gang_{i}_input", current)
            self.add_module(f"gang_{i}_spikes", neurons)
        if self.stage_delay:
            self.delay_opl, self.delay_bipolar = StageDelay(), StageDelay()
            for i in range(self.n_layers):
                self.add_module(f"delay_{i}_transient", StageDelay())
                self.add_module(f"delay_{i}_current", StageDelay())
        self.spiking = bool(spiking) and all(neurons is not None for neurons in spiking)
        self.output_names = self._names([float(current.sign.detach()) for current in inputs])

    def _names(self, signs: Sequence[float]) -> tuple[str, ...]:
        """Names of the outputs: the first ON and the first OFF layer by their sign, the others by their number."""
        if not signs:
            return ("bipolar",) if self.bipolar is not None else ("opl",)
        what = "ganglion_spikes" if self.spiking else "ganglion_current"
        first = {True: signs.index(next((s for s in signs if s > 0), 0.0)) if max(signs) > 0 else -1}
        first[False] = next((i for i, s in enumerate(signs) if s <= 0), -1)
        return tuple(f"{what}_{('OFF', 'ON')[s > 0] if first[s > 0] == i else i}" for i, s in enumerate(signs))

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
        self.clear_state()
        self.opl.settle(luminance)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        found: dict[str, Tensor] = {}
        found["receptor"], found["horizontal"], signal = self.opl.stages(x)
        found["opl"] = signal
        if self.bipolar is not None:
            if self.stage_delay:
                signal = self.delay_opl.shift(signal)
            signal, adaptation = self.bipolar.respond(signal, record="adaptation" in self._record)
            found["bipolar"] = signal
            if adaptation is not None:
                found["adaptation"] = adaptation
        if self.stage_delay:
            signal = self.delay_bipolar.shift(signal)
        layers = self._ganglion_layers(signal)
        found.update({f"ganglion_{i}": current for i, (current, _) in enumerate(layers)})
        answers = [spikes for _, spikes in layers] or [found[name] for name in self.output_names]
        return (*answers, *(found[name] for name in self._record))

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
        neurons = [self.get_submodule(f"gang_{i}_spikes") for i in range(self.n_layers) if self.spiking]
        return all(getattr(layer, "noise_seed", 0) is not None for layer in neurons)

    def _ganglion_layer(self, i: int, v: Tensor) -> tuple[Tensor, Tensor]:
        cells = getattr(self, f"gang_{i}_input")
        current = cells(v)
        if self.stage_delay and bool(cells.transient_relative_weight_center != 0):
            current = getattr(self, f"delay_{i}_transient").shift(current, cells.resting_current())
        neurons = getattr(self, f"gang_{i}_spikes")
        if neurons is None:
            return current, current
        drive = getattr(self, f"delay_{i}_current").shift(current) if self.stage_delay else current
        return current, neurons(drive)
