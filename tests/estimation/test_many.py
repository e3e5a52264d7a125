"""Many fits give the same wherever they are done, and lose nothing when a worker dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import convis_core as convis
from convis_core.errors import FitError

MOVIE = np.random.default_rng(0).standard_normal((600, 5, 5))
SPIKES = [np.random.default_rng(k).poisson(np.exp(MOVIE[:, k, 2] - 1)) for k in range(4)]


def dice(label: int) -> tuple[float, ...]:
    return (label, float(torch.rand(1)), float(np.random.rand()))


def model_and_tasks() -> tuple[convis.Layer, list[dict[str, Any]]]:
    source, target = convis.samples.generate_sample_data(size=(60, 6, 6), seed=1)
    model = convis.models.LN(kernel_dim=(4, 3, 3))
    model.set_optimizer.Adam(lr=0.02)
    return model, [{"source": source, "target": target * gain, "dt": 20, "epochs": 2} for gain in (1.0, 2.0)]


@pytest.fixture(scope="module")
def client() -> Generator[Any]:
    distributed = pytest.importorskip("distributed")
    quiet = {"silence_logs": 50, "dashboard_address": ":0", "memory_limit": 0}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, processes=True, **quiet) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_tasks_have_random_numbers_of_their_own_and_leave_ours_alone() -> None:
    torch.manual_seed(3)
    expected = float(torch.rand(1))
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    together = convis.fit_many(dice, [{"label": k} for k in range(3)])
    assert float(torch.rand(1)) == expected
    assert torch.get_num_threads() == threads
    assert len({row[1:] for row in together}) == 3
    assert convis.fit_many(dice, [{"label": 0}], seed=1)[0] != together[0]


def test_a_model_is_copied_and_fitted_by_an_optimiser_like_its_own() -> None:
    model, tasks = model_and_tasks()
    before = model.get_parameters()
    fitted = convis.fit_many(model, tasks, threads=torch.get_num_threads())  # sums in the same order as below
    np.testing.assert_array_equal(model.get_parameters()["conv.weight"], before["conv.weight"])
    for (found, losses), task in zip(fitted, tasks, strict=True):
        alone = convis.models.LN(kernel_dim=(4, 3, 3))
        alone.set_parameters(before)
        alone.set_optimizer.Adam(lr=0.02)
        assert losses == [step.loss for step in convis.fit(alone, **task)]
        np.testing.assert_array_equal(found.get_parameters()["conv.weight"], alone.get_parameters()["conv.weight"])


def test_a_cluster_gives_what_one_process_gives(client: Any) -> None:
    """To the last bit, whatever the number of workers: two here, with two threads each, and none."""
    tasks = [{"spikes": spikes} for spikes in SPIKES]
    shared = {"stimulus": MOVIE, "n_lags": 2, "n_history": 0, "max_rank": 1}
    near = convis.fit_many(convis.fit_receptive_field, tasks, shared=shared)
    far = convis.fit_many(convis.fit_receptive_field, tasks, shared=shared, client=client)
    for a, b in zip(near, far, strict=True):
        np.testing.assert_array_equal(a.filter, b.filter)
    draws = [{"label": k} for k in range(12)]
    assert convis.fit_many(dice, draws, client=client) == convis.fit_many(dice, draws)


def test_a_model_is_fitted_on_a_cluster(client: Any) -> None:
    model, tasks = model_and_tasks()
    near, far = convis.fit_many(model, tasks), convis.fit_many(model, tasks, client=client)
    assert [losses for _, losses in near] == [losses for _, losses in far]


def test_a_worker_killed_in_the_middle_loses_nothing(client: Any, tmp_path: Path) -> None:
    victims = tmp_path / "killed"

    def deadly(number: int, scale: Any) -> tuple[float, ...]:
        if number == 3 and not victims.exists():  # the first worker to come here does not come back
            victims.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)
        return (float(scale.sum()), *dice(number))

    tasks = [{"number": number} for number in range(8)]
    shared = {"scale": np.ones(300_000)}
    found = convis.fit_many(deadly, tasks, shared=shared, client=client)
    killed = int(victims.read_text())
    assert killed != os.getpid()
    assert found == convis.fit_many(deadly, tasks, shared=shared)


def failing(number: int) -> int:
    if number == 1:
        raise ValueError("no spikes")
    return number


@pytest.mark.parametrize("spread", [False, True])
def test_a_task_that_fails_does_not_take_the_others_with_it(spread: bool, request: pytest.FixtureRequest) -> None:
    client = request.getfixturevalue("client") if spread else None
    with pytest.raises(FitError, match="1 of 3 tasks failed, the first of them number 1: ValueError: no spikes") as e:
        convis.fit_many(failing, [{"number": k} for k in range(3)], client=client)
    assert e.value.output[::2] == [0, 2]
    assert isinstance(e.value.output[1], ValueError)


def test_what_is_no_task_is_refused_before_anything_is_done() -> None:
    with pytest.raises(FitError, match="dict of arguments by name, got int as number 1"):
        convis.fit_many(dice, [{"label": 1}, 2])  # type: ignore[list-item]
    with pytest.raises(FitError, match="submit method, got a str"):
        convis.fit_many(convis.fit_receptive_field, [], client="tcp://localhost:8786")
    with pytest.raises(FitError, match="No optimiser was chosen"):
        convis.fit_many(convis.models.LN(kernel_dim=(4, 3, 3)), [])
    model = convis.models.LN(kernel_dim=(4, 3, 3))
    model.set_optimizer.Adam([{"params": [p]} for p in model.parameters()])
    with pytest.raises(FitError, match="several groups"):
        convis.fit_many(model, [])
