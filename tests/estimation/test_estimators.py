"""Every estimator finds simulated cells, better the more its prior knows of them, and says how sure it is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.estimation import ESTIMATORS, FitReport, KernelBasis, ReceptiveField, estimate_filter
from convis_core.estimation.coordinates import every_direction, likely_directions
from convis_core.estimation.evidence import log_evidence, posterior_covariance, pseudo_data
from convis_core.estimation.filter_priors import Local, Smooth
from convis_core.estimation.nonlinearity import nonlinearity_named
from convis_core.estimation.ridge import best_ridge, ridge_at, top_of_hill
from convis_core.ops.kernel_bases import KERNEL_BASES, kernel_basis
from convis_core.ops.lags import lagged
from convis_core.ops.splines import cubic_splines
from tests.estimation.cells import Cell, centre_surround, recorded, time_course

LAGS, SIZE = 6, 8


@pytest.fixture(scope="module")
def cell() -> Cell:
    rng = np.random.default_rng(8)
    field = time_course(rng, LAGS)[:, None, None] * centre_surround(rng, SIZE)
    return recorded(rng.standard_normal((3000, SIZE, SIZE)), field, 1.6, -1.0, rng)


@pytest.fixture(scope="module")
def found(cell: Cell) -> dict[str, ReceptiveField]:
    return {name: estimate_filter(cell.stimulus, cell.spikes, name, n_lags=LAGS) for name in ESTIMATORS}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_it_finds_the_filter(name: str, cell: Cell, found: dict[str, ReceptiveField]) -> None:
    least = {"sta": 0.5, "whitened_sta": 0.5, "ridge": 0.55, "ard": 0.6, "spline": 0.75, "raised_cosine": 0.75}
    field = found[name]
    assert cell.similarity(field.filter) > least.get(name, 0.9)
    assert field.filter.shape == (LAGS, SIZE, SIZE)
    rate = field.predict(cell.stimulus)
    assert convis.estimation.bits_per_spike(rate[2400:], cell.spikes[2400:]) == pytest.approx(
        field.scores["test bits/spike"], abs=1e-9
    )
    assert name in repr(field) or name == "separable"


def test_the_more_a_prior_knows_the_better(cell: Cell, found: dict[str, ReceptiveField]) -> None:
    similar = {name: cell.similarity(field.filter) for name, field in found.items()}
    assert similar["sta"] - 0.05 < similar["ridge"] < similar["asd"]
    assert similar["ridge"] < similar["ald"]
    assert similar["ridge"] < similar["spline"]
    bits = {name: field.scores["test bits/spike"] for name, field in found.items()}
    assert bits["ridge"] < min(bits["asd"], bits["ald"])


@pytest.mark.parametrize("name", ["ridge", "asd", "spline"])
def test_its_errors_are_as_large_as_its_mistakes(name: str, cell: Cell, found: dict[str, ReceptiveField]) -> None:
    off = (found[name].filter - cell.drive_filter(1.6)) / np.maximum(found[name].filter_error, 1e-3)
    assert 0.3 < np.sqrt(np.mean(np.clip(off, -5, 5) ** 2)) < 2.5


def test_ridge_finds_the_variance_with_the_largest_evidence(cell: Cell) -> None:
    """No variance on a fine grid is more probable than the one that was found in a dozen looks."""
    design = torch.stack([lagged(column, 3) for column in torch.from_numpy(cell.stimulus[:, :4, 2]).T], dim=2).flatten(
        1
    )
    counts = torch.from_numpy(cell.spikes)
    seen = pseudo_data(design, torch.zeros(12).double(), 0 * counts, counts, nonlinearity_named("softplus"))
    identity = torch.eye(12).double()
    others = [log_evidence(seen, math.exp(at) * identity) for at in np.arange(-14, 4, 0.05)]
    for start in (-9.0, -3.0, 2.0):
        found, weights, root = best_ridge(seen, start, 2.0)
        best = log_evidence(seen, math.exp(found) * identity)
        assert best > max(others) - 1e-2
        assert ridge_at(seen, found)[0] - ridge_at(seen, -3.0)[0] == pytest.approx(
            best - log_evidence(seen, math.exp(-3.0) * identity)
        )
        covariance = posterior_covariance(seen, math.exp(found) * identity)
        torch.testing.assert_close(torch.cholesky_inverse(root), covariance)
        torch.testing.assert_close(covariance @ seen.pull, weights)


@pytest.mark.parametrize("top", [-7.3, 0.0, 4.1])
def test_the_top_of_a_skewed_hill_is_found_in_few_looks(top: float) -> None:
    looks: list[float] = []

    def height(at: float) -> float:
        looks.append(at)
        return -math.exp(0.7 * (at - top)) + 0.7 * (at - top)

    roughly = top_of_hill(height, 0.0, 2.0)
    assert roughly == pytest.approx(top, abs=0.25)
    assert len(looks) < 10
    assert top_of_hill(height, roughly, 0.5) == pytest.approx(top, abs=0.05)


def test_a_hill_that_rises_for_ever_ends_the_search() -> None:
    assert top_of_hill(lambda at: -at, 0.0, 1.0) < -5


@pytest.mark.parametrize("prior", ["ridge", "ard", "asd", "ald"])
def test_any_prior_goes_with_any_basis(prior: str, cell: Cell) -> None:
    basis = KernelBasis(counts=(5, 6, 6))
    field = estimate_filter(cell.stimulus, cell.spikes, prior, basis=basis, n_lags=LAGS)
    assert cell.similarity(field.filter) > 0.75
    matrices = basis.matrices((LAGS, SIZE, SIZE))
    inside = field.filter
    for axis, matrix in enumerate(matrices):
        project = (matrix @ torch.linalg.pinv(matrix)).numpy()
        inside = np.moveaxis(np.tensordot(project, inside, axes=(1, axis)), 0, axis)
    np.testing.assert_allclose(inside, field.filter, atol=1e-8)


def test_a_report_takes_any_of_them(cell: Cell, found: dict[str, ReceptiveField]) -> None:
    report = FitReport.of(found["asd"], cell.stimulus, cell.spikes)
    assert report.scores["receptive field"][0] == pytest.approx(found["asd"].scores["test bits/spike"])
    assert "asd" in str(report)


@pytest.mark.parametrize(
    ("name", "limits"),
    [("ln_poisson_white", {"ald": (0.96, 0.66), "ard": (0.8, 0.5)}), ("ln_poisson_natural", {"ald": (0.9, 0.5)})],
)
def test_cells_of_the_reference(shared: Path, name: str, limits: dict[str, tuple[float, float]]) -> None:
    """Measured: 0.98 and 0.68 bits for white noise, 0.97 and 0.54 for natural movies, with all 2250 weights."""
    cell = np.load(shared / "reference" / "fitting" / f"{name}.npz")
    for method, (similarity, bits) in limits.items():
        basis = "spline" if method == "ard" else None
        field = estimate_filter(cell["stimulus"], cell["spikes"], method, basis=basis)
        assert np.corrcoef(field.filter.ravel(), cell["true_filter"].ravel())[0, 1] > similarity
        assert field.scores["test bits/spike"] > bits


@pytest.mark.parametrize("prior", [Smooth((5, 4, 3), 0.5), Local((5, 4, 3), 0.5)], ids=["smooth", "local"])
def test_likely_directions_hold_nearly_all_of_a_prior(prior: Smooth | Local) -> None:
    over_time, over_space, _ = prior.factors(prior.expected)
    whole = torch.kron(over_time, over_space)
    some = likely_directions(over_time, over_space)
    eye = torch.eye(5).double(), torch.eye(12).double()
    within = some.variances(some.covariance(over_time, over_space)[0], *eye)
    assert float(within.sum()) > 0.98 * float(whole.trace())
    everything = every_direction(5, 12)
    torch.testing.assert_close(everything.covariance(over_time, over_space)[0], whole)
    torch.testing.assert_close(everything.variances(whole, *eye).flatten(), whole.diagonal())


def test_coordinates_and_design_speak_of_the_same_filter() -> None:
    dice = torch.Generator().manual_seed(0)
    stimulus = torch.randn(40, 6, dtype=torch.float64, generator=dice)
    basis = cubic_splines(7, 5)
    for some in (
        every_direction(5, 6),
        likely_directions(torch.eye(5).double(), torch.diag(torch.arange(1.0, 7)).double()),
    ):
        weights = torch.randn(len(some.first), dtype=torch.float64, generator=dice)
        kernel = basis @ some.whole(weights)
        direct = sum(lagged(stimulus[:, pixel], 7) @ kernel[:, pixel] for pixel in range(6))
        torch.testing.assert_close(some.design(stimulus, basis) @ weights, direct)
        torch.testing.assert_close(some.of(some.whole(weights)), weights)


def test_splines_make_every_cubic_exactly() -> None:
    at = torch.linspace(0, 1, 30).double()
    for count in (4, 7):
        basis = cubic_splines(30, count)
        assert float(basis.min()) >= 0.0
        torch.testing.assert_close(basis.sum(dim=1), torch.ones(30).double())
        cubic = 1 - 2 * at + 3 * at**2 - 4 * at**3
        torch.testing.assert_close(basis @ (torch.linalg.pinv(basis) @ cubic), cubic)


@pytest.mark.parametrize("name", KERNEL_BASES)
def test_a_basis_describes_small_kernels_too(name: str) -> None:
    assert [tuple(m.shape) for m in kernel_basis(name, (2, 3, 9))] == [(2, 2), (3, 3), (9, 6)]


def test_what_does_not_go_together_is_refused(cell: Cell) -> None:
    def estimate(*arguments: object, **options: object) -> None:
        estimate_filter(cell.stimulus, cell.spikes, *arguments, **options)  # type: ignore[arg-type]

    with pytest.raises(convis.ConvisError, match=r"no estimator called 'map'.*whitened_sta"):
        estimate("map")
    with pytest.raises(convis.ConvisError, match="sta takes no basis"):
        estimate("sta", basis="spline")
    with pytest.raises(convis.ConvisError, match="no basis 'haar'"):
        estimate("ridge", basis="haar")
    with pytest.raises(convis.ConvisError, match="cannot be described"):
        estimate("ridge", basis=KernelBasis(counts=(5, 20, 5)), n_lags=LAGS)
    with pytest.raises(convis.ConvisError, match=r"70 x 8 x 8 weights is too large"):
        estimate("ridge", n_lags=70)
