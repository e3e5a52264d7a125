"""The command line refuses what it cannot serve before it starts a server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

import convis_widgets
from convis_core import Resolution, models, samples
from convis_core.errors import ConvisError
from convis_widgets.apps import cli
from convis_widgets.apps.named_models import build_model, model_names


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONVIS_MODEL", "CONVIS_VIDEO"):
        monkeypatch.setenv(name, "")  # so that what main() sets is undone
        monkeypatch.delenv(name)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What would have been served; no server starts."""
    calls: list[dict[str, object]] = []
    server = pytest.importorskip("convis_widgets.apps.server")

    def serve(notebook: Path, *, port: int, open_browser: bool) -> int:
        calls.append({"notebook": notebook, "port": port, "open_browser": open_browser})
        return 0

    monkeypatch.setattr(server, "serve", serve)
    return calls


def test_the_packaged_page_is_served(served: list[dict[str, object]]) -> None:
    assert cli.main(["--model", "LN", "--port", "9000", "--no-browser"]) == 0
    assert served == [{"notebook": cli.PAGE, "port": 9000, "open_browser": False}]
    assert cli.PAGE.is_file()
    assert os.environ["CONVIS_MODEL"] == "LN"
    assert "CONVIS_VIDEO" not in os.environ


@pytest.mark.parametrize("content", [None, b"", b"this is no film"])
def test_a_video_that_cannot_be_read_is_refused(
    content: bytes | None, tmp_path: Path, served: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "film.mp4"
    if content is not None:
        video.write_bytes(content)
    assert cli.main([str(video)]) == 2
    assert served == []
    assert "film.mp4" in capsys.readouterr().err


def test_an_unknown_model_is_refused_with_the_known_ones(
    served: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--model", "Cat"]) == 2
    assert served == []
    message = capsys.readouterr().err
    assert "'Cat'" in message and "LN" in message


@pytest.mark.parametrize(
    "name", ["Sequential", "Parallel", "Dict", "GLM", "SpikingModel", "make_parallel_sequential_model"]
)
def test_a_name_that_is_not_enough_for_a_model_is_refused(
    name: str, served: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--model", name]) == 2
    assert served == [] and f"{name} needs more than its name" in capsys.readouterr().err
    with pytest.raises(ConvisError, match="needs more than its name"):
        convis_widgets.explore(name)


@pytest.mark.parametrize("name", model_names())
def test_every_model_of_the_list_answers_a_stimulus(name: str) -> None:
    model = build_model(name, Resolution(10.0, 1000.0))
    assert model.run(np.ones((3, 8, 8)))[0].shape[2] == 3


@pytest.mark.parametrize("name", sorted({*model_names()} - {"CentreSurround", "McIntosh", "Retina"}))
def test_every_model_without_a_filter_of_its_own_shows_a_receptive_field_and_answers_what_moves(name: str) -> None:
    model = build_model(name, Resolution(30.0, 1000.0))
    filter_on = model.kernel().detach()[0, 0]
    peak = np.unravel_index(int(filter_on.abs().argmax()), filter_on.shape)
    assert 2 < peak[0] < 20 and tuple(peak[1:]) == (filter_on.shape[1] // 2, filter_on.shape[2] // 2)
    centre = filter_on[:, peak[1], peak[2]]
    assert centre.max() > 0 and centre.min() < -0.02 * centre.max(), "it falls below zero after the peak"
    assert filter_on[peak[0]].min() < -0.005 * centre.max(), "and around it"
    response = model.run(samples.moving_bar(300), dt=100)[0]
    assert float(response.std()) > 0.001


def test_a_class_keeps_its_own_default() -> None:
    assert models.LN().kernel().numel() == models.SeparableLN().kernel().numel() == 1


@pytest.mark.parametrize("port", ["0", "70000", "many"])
def test_a_port_that_is_none_is_refused(
    port: str, served: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--port", port])
    assert stopped.value.code == 2
    assert served == []
    assert f"{port} is not a port: choose one" in capsys.readouterr().err


def test_without_voila_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "convis_widgets.apps.server", raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == "voila"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "voila", None)
    assert cli.main([]) == 1
    assert "pip install 'convis-widgets[app]'" in capsys.readouterr().err


def test_a_port_that_cannot_be_had_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = pytest.importorskip("convis_widgets.apps.server")

    def no_port(first: int) -> int:
        raise ConvisError(f"You may not open port {first}.")

    monkeypatch.setattr(server, "free_port", no_port)
    assert cli.main(["--port", "80"]) == 2
    assert capsys.readouterr().err == "convis-explore: You may not open port 80.\n"
