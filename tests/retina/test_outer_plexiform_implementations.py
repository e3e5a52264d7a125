"""The four ways to compute the outer plexiform layer: equal to one another, and to the stored maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from convis_core import Resolution
from convis_core import retina as retina_parts
from convis_core.errors import ParameterError, ResolutionError
from convis_core.retina import (
    FullConvolutionOPLFilter,
    HalfRecursiveOPLFilter,
    LogPolarScheme,
    RecursiveOPLFilter,
    SeparableOPLFilter,
)
from convis_core.retina.outer_plexiform_base import OuterPlexiformFilter
from tests.retina.virtual_retina import described, film

Array = np.ndarray[Any, Any]
OTHERS = [HalfRecursiveOPLFilter, SeparableOPLFilter, FullConvolutionOPLFilter]
SPEEDS = Resolution(10.0, 1000.0), Resolution(20.0, 200.0)


def answer(opl: OuterPlexiformFilter, x: Array, dt: int | None = None) -> Array:
    return opl.double().run(x, dt).array()[0, 0]


def inside(opl: OuterPlexiformFilter, y: Array) -> Array:
    """Where a filter that is the same for all pixels knows how the border spreads: nowhere else with a leaky one."""
    r = opl.radius if isinstance(opl, FullConvolutionOPLFilter) and opl.leaky_heat_equation else 0
    return y[:, r : y.shape[1] - r, r : y.shape[2] - r]


def clip(kind: str, n: int = 160) -> Array:
    if kind == "impulse":
        x = np.zeros((n, 41, 43))
        x[20, 20, 21] = 1.0
    elif kind == "flash":
        x = np.zeros((n, 41, 43))
        x[20:90] = 1.0
    else:
        blocks = np.random.default_rng(1).random((n // 10, 9, 9))
        x = blocks.repeat(10, 0).repeat(5, 1).repeat(5, 2)[:, :41, :43]
    return x


OPTIONS: list[dict[str, Any]] = [
    {},
    {"n_center": 3, "relative_weight": 0.6},
    {"undershoot": False, "relative_weight": 0.8},
    {"stage_delay": 1, "relative_weight": 0.9, "undershoot_tau_center": 0.03},
    {"leaky_heat_equation": True, "relative_weight": 0.7, "undershoot_tau_center": 0.03},
]


@pytest.mark.parametrize("options", OPTIONS, ids=["default", "cascade", "sustained", "delayed", "leaky"])
@pytest.mark.parametrize("cls", OTHERS)
@pytest.mark.parametrize("resolution", SPEEDS, ids=["1 kHz", "200 Hz"])
def test_within_one_per_cent_of_the_peak(
    cls: type[OuterPlexiformFilter], options: dict[str, Any], resolution: Resolution
) -> None:
    if options.get("leaky_heat_equation") and cls is SeparableOPLFilter:
        with pytest.raises(ParameterError, match="does not separate"):
            cls(**options)
        return
    scales = {"sigma_center": 0.5 / resolution.pixel_per_degree, "sigma_surround": 1.5 / resolution.pixel_per_degree}
    recursive = RecursiveOPLFilter(resolution=resolution, **scales, **options)
    other = cls(resolution=resolution, **scales, **options)
    for kind in ("impulse", "flash", "checker"):
        x = clip(kind)
        recursive.settle(0.0)
        other.settle(0.0)
        wanted, got = answer(recursive, x), answer(other, x)
        error = np.abs(inside(other, got - wanted)).max()
        tolerance = 1e-12 if cls is HalfRecursiveOPLFilter else 0.01
        assert error <= tolerance * np.abs(wanted).max(), kind


def test_a_leaky_filter_is_wide_enough_for_steps_longer_than_its_memory() -> None:
    """In which it spreads further than its scale."""
    options: dict[str, Any] = {"leaky_heat_equation": True, "sigma_center": 0.1, "sigma_surround": 0.2}
    resolution = Resolution(pixel_per_degree=10.0, steps_per_second=20.0)
    recursive, full = (cls(resolution=resolution, **options) for cls in (RecursiveOPLFilter, FullConvolutionOPLFilter))
    x = np.random.default_rng(0).random((30, 121, 125))
    wanted, got = answer(recursive, x), answer(full, x)
    assert np.abs(inside(full, got - wanted)).max() < 0.01 * np.abs(wanted).max()


@pytest.mark.parametrize("cls", [RecursiveOPLFilter, *OTHERS])
@pytest.mark.parametrize("leaky", [False, True])
def test_a_still_image_has_lasted_for_ever_to_a_fresh_start(cls: type[OuterPlexiformFilter], leaky: bool) -> None:
    """So that nothing changes while it is shown, whatever the layer is made of."""
    if leaky and cls is SeparableOPLFilter:
        return
    opl = cls(leaky_heat_equation=leaky, undershoot_tau_center=0.03, relative_weight=0.7)
    y = answer(opl, clip("checker", 160)[10:11].repeat(60, 0))
    assert np.abs(y - y[:1]).max() <= 1e-5 * np.abs(y).max()


@pytest.mark.parametrize("cls", [RecursiveOPLFilter, *OTHERS])
def test_constant_light_is_answered_by_the_gain_from_any_start(cls: type[OuterPlexiformFilter]) -> None:
    opl = cls(relative_weight=0.3, lambda_opl=10.0, undershoot_tau_center=0.02, luminosity_range=2.0).double()
    wanted = 10 / 2 * 0.2 * 0.7 * 3.0
    np.testing.assert_allclose(answer(opl, np.full((5, 6, 7), 3.0)), wanted, rtol=1e-6)
    opl.settle(3.0)
    np.testing.assert_allclose(answer(opl, np.full((5, 6, 7), 3.0)), wanted, rtol=1e-6)
    opl.settle(0.0)
    late = answer(opl, np.full((600, 6, 7), 3.0))
    assert late[0].max() > 0 and late[0, 3, 3] != pytest.approx(wanted, rel=0.1)
    np.testing.assert_allclose(late[-1], wanted, rtol=1e-6)


@pytest.mark.parametrize("cls", [RecursiveOPLFilter, *OTHERS])
@pytest.mark.parametrize("dt", [1, 7, 60])
def test_any_chunks_even_those_shorter_than_the_filters(cls: type[OuterPlexiformFilter], dt: int) -> None:
    """The stored convolutions lost history in such chunks, and the separable ones saw the future."""
    opl = cls(undershoot_tau_center=0.02, stage_delay=1)
    x = np.random.default_rng(2).random((60, 7, 8))
    whole = answer(opl, x)
    opl.clear_state()
    np.testing.assert_allclose(answer(opl, x, dt), whole, rtol=0, atol=1e-12)
    opl.clear_state()
    x[40:] = 0.0
    np.testing.assert_allclose(answer(opl, x)[:40], whole[:40], rtol=0, atol=1e-12)


@pytest.mark.parametrize("cls", [RecursiveOPLFilter, *OTHERS])
def test_what_the_stages_say_is_what_comes_out(cls: type[OuterPlexiformFilter]) -> None:
    opl = cls(undershoot_tau_center=0.02, relative_weight=0.4).double()
    x = torch.rand(2, 3, 30, 8, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    receptor, horizontal, y = opl.stages(x)
    opl.clear_state()
    torch.testing.assert_close(opl(x), y)
    torch.testing.assert_close(receptor - horizontal, y)


@pytest.mark.parametrize("cls", OTHERS)
def test_every_parameter_is_heard_at_once(cls: type[OuterPlexiformFilter]) -> None:
    """Two of them did not reach the kernel of the stored full convolution, and n_center reached none."""
    opl, x = cls(relative_weight=0.5, undershoot_tau_center=0.02), clip("checker", 40)[:, :12, :12]
    before = answer(opl, x)
    for handle in opl.p:
        kept = handle.value
        handle.set(kept * 1.3)
        opl.clear_state()
        assert np.abs(answer(opl, x) - before).max() > 1e-4, handle.name
        handle.set(kept)
    assert np.abs(answer(cls(relative_weight=0.5, undershoot_tau_center=0.02, n_center=3), x) - before).max() > 1e-3


MAPS = ("opl_separable", "opl_center_only", "opl_cascade_n3", "opl_undershoot", "opl_undershoot_w07", "opl_leaky")


@pytest.mark.parametrize("name", (*MAPS, "opl_logpolar", "opl_logpolar_flat"))
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 1e-4)], ids=str)
@pytest.mark.parametrize("cls", [RecursiveOPLFilter, HalfRecursiveOPLFilter])
def test_stored_maps_of_virtual_retina(
    shared: Path, name: str, dtype: torch.dtype, tolerance: float, cls: type[OuterPlexiformFilter]
) -> None:
    folder = shared / "reference" / "virtualretina"
    opl = twin(cls, described(folder / "configs" / f"{name}.xml", dtype).opl)
    with np.load(folder / "outputs" / f"{name}.npz") as file:
        data = dict(file)
    for source in {key.partition("__")[0] for key in data}:
        frames, luminance = film(shared, source)
        opl.settle(luminance)
        with torch.no_grad():
            found = opl.stages(torch.as_tensor(frames, dtype=dtype)[None, None])
        for stage, got in zip(("receptor", "horizontal", "opl"), found, strict=True):
            wanted = data.get(f"{source}__{stage}")
            if wanted is not None:
                every = -(-len(frames) // len(wanted))
                error = np.abs(got[0, 0, ::every].numpy() - wanted).max()
                assert error <= tolerance * np.abs(wanted).max(), f"{source} {stage}"


@pytest.mark.parametrize("name", ["opl_separable", "opl_undershoot", "opl_undershoot_w07"])
def test_separable_layer_on_stored_maps(shared: Path, name: str) -> None:
    """Within one per cent, for its time courses are cut."""
    folder = shared / "reference" / "virtualretina"
    opl = twin(SeparableOPLFilter, described(folder / "configs" / f"{name}.xml", torch.float64).opl)
    frames, luminance = film(shared, "impulse")
    opl.settle(luminance)
    with np.load(folder / "outputs" / f"{name}.npz") as file:
        wanted = file["impulse__opl"]
    got = answer(opl, frames)[:: -(-len(frames) // len(wanted))]
    assert np.abs(got - wanted).max() <= 0.01 * np.abs(wanted - wanted[0]).max()


def twin(cls: type[OuterPlexiformFilter], opl: Any) -> OuterPlexiformFilter:
    """Make the same layer in another way."""
    names = ("n_center", "undershoot", "leaky_heat_equation", "luminosity_range", "log_polar", "stage_delay")
    made = cls(**{name: getattr(opl, name) for name in names}, resolution=opl.resolution).to(opl.dtype)
    if isinstance(made, SeparableOPLFilter):  # its windows follow from the time constants that it is made with
        values = {name: value.item() for name, value in opl.get_parameters().items()}
        made = cls(**{name: getattr(opl, name) for name in names}, resolution=opl.resolution, **values).to(opl.dtype)
    made.set_parameters(opl.get_parameters())
    return made


@pytest.mark.parametrize("kind", ["HalfRecursive", "Recursive"])
@pytest.mark.parametrize("rate", [1000])
def test_stored_layers_of_convis_in_the_interior(shared: Path, kind: str, rate: int) -> None:
    """To a few per cent: those are Gaussians that sum to 1.03, and gains of up to 1.005."""
    with np.load(shared / "reference" / "convis" / f"opl_{kind}OPLFilter_{rate}sps.npz") as file:
        data = dict(file)
    opl = getattr(retina_parts, f"{kind}OPLFilter")(resolution=Resolution(10.0, rate))
    opl.settle(0.0)
    got, wanted = answer(opl, data["input_impulse"]).ravel(), data["output_impulse_whole"].ravel()
    assert np.corrcoef(got, wanted)[0, 1] > 0.998


@pytest.mark.parametrize("leaky", [False, True])
def test_the_full_filter_has_gradients_in_all_parameters(leaky: bool) -> None:
    opl = FullConvolutionOPLFilter(duration=0.006, extent=0.2, leaky_heat_equation=leaky, stage_delay=1).double()
    values = [p.detach().clone().requires_grad_() for p in opl.parameters()]

    def kernel(*given: torch.Tensor) -> torch.Tensor:
        named = dict(zip((name for name, _ in opl.named_parameters()), given, strict=True))
        return torch.func.functional_call(_Kernel(opl), {f"opl.{k}": v for k, v in named.items()}, ())

    assert torch.autograd.gradcheck(kernel, values, fast_mode=True, atol=1e-7)


class _Kernel(torch.nn.Module):
    def __init__(self, opl: FullConvolutionOPLFilter) -> None:
        super().__init__()
        self.opl = opl

    def forward(self) -> torch.Tensor:
        return self.opl.kernel()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ParameterError, match="from pixel to pixel"):
        FullConvolutionOPLFilter(log_polar=LogPolarScheme())
    with pytest.raises(ResolutionError, match="duration"):
        SeparableOPLFilter(duration=0.0)
    with pytest.raises(ResolutionError, match="extent"):
        FullConvolutionOPLFilter(extent=-1.0)
    with pytest.raises(ParameterError, match="stage_delay"):
        HalfRecursiveOPLFilter(stage_delay=2)


def test_the_old_spelling() -> None:
    assert retina_parts.SeperatableOPLFilter is SeparableOPLFilter
