"""The pages the project set out from run as they are written there, word for word but for the name of the package."""

from __future__ import annotations

import re
import textwrap
import time
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import matplotlib
import numpy as np
import pytest

import convis_core as convis

matplotlib.use("Agg")
from matplotlib import pyplot as plt

HEADING = re.compile(r"^(.+)\n(?:-{4,}|={4,})\n", flags=re.MULTILINE)


def section(page: str, title: str) -> str:
    """Text below a heading, up to the next one."""
    parts = HEADING.split(page)
    return parts[parts.index(title) + 1]


def code(text: str) -> list[str]:
    """Blocks of code: what is indented below a line that ends in two colons, without the directive's options."""
    blocks = []
    for directive in re.finditer(r"^( *)\S.*::\n((?:\1 +.*\n|\s*\n)+)", text, flags=re.MULTILINE):
        lines = [line for line in directive[2].splitlines() if line.strip() not in ("python", ":include-source:")]
        source = textwrap.dedent("\n".join(lines)).strip()
        if directive[0].strip().startswith((".. plot::", ".. code-block::")) or ".. " not in directive[0]:
            blocks.append(re.sub(r"^import convis$", "import convis_core as convis", source, flags=re.MULTILINE))
    return blocks


@pytest.fixture
def page(shared: Path) -> str:
    return (shared / "seed" / "quickstart.rst").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


def run(blocks: list[str]) -> dict[str, Any]:
    """Run code in one session, with what pylab would bring."""
    names: dict[str, Any] = {"plt": plt, "title": plt.title}
    for block in blocks:
        exec(compile(block, "quickstart.rst", "exec"), names)
    return names


def losses(printed: str) -> list[float]:
    return [sum(float(number) for number in row.split()) for row in re.findall(r"^\[(.*)\]$", printed, re.MULTILINE)]


def test_generating_spikes(page: str) -> None:
    (block,) = code(section(page, "Quickstart: Generating Spikes"))
    o = run([block])["o"]
    assert o.array().shape == (1, 1, 2000, 20, 20)
    assert set(np.unique(o.array())) == {0.0, 1.0}
    traces = plt.gca().collections[0].get_segments()
    assert len(traces) == 40 and len(traces[0]) == 2000


def test_fitting_as_it_is_written(page: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With population=False an image is fitted by one time series: it runs, and says what is wrong with it."""
    blocks = code(section(page, "Quickstart: Fitting models to data"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        m = run(blocks)["m"]
    assert [warning.category for warning in caught] == [UserWarning], "one for the model, not one a chunk"
    assert "build the model with population=True" in str(caught[0].message)
    assert {Path(warning.filename).name for warning in caught} == {"quickstart.rst"}, "at the line of the user"
    printed = capsys.readouterr().out
    assert "(2000, 20, 20)" in printed
    before, after_adam, _ = losses(printed)
    assert after_adam < before
    with np.load(tmp_path / "fitted_model.npz", allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["conv.weight"], m.p.conv.weight.value)
    assert plt.gcf().axes, "the impulse responses were drawn"


def test_fitting_a_population_finds_the_kernel(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As the text says: the border and what is beyond the last frame of the true kernel become 0."""
    blocks = code(section(page, "Quickstart: Fitting models to data"))
    names = run([block.replace("population=False", "population=True") for block in blocks])
    before, after_adam, after_lbfgs = losses(capsys.readouterr().out)
    assert after_lbfgs < 1e-3 < after_adam < before
    assert after_lbfgs < 1e-4 * before
    fitted = names["m"].p.conv.weight.value[0, 0]
    expected = np.zeros((12, 10, 10))
    expected[:10, 2:7, 2:7] = convis.samples._g.p.conv.weight.value[0, 0]
    np.testing.assert_allclose(fitted, expected, atol=1e-4)
    assert np.corrcoef(fitted.ravel(), expected.ravel())[0, 1] > 0.99


def interactive(text: str) -> list[str]:
    """What is typed after the prompts of an interactive session, block by block."""
    blocks = [re.findall(r"^ *>>> (.*)$", block, flags=re.MULTILINE) for block in code(text)]
    return ["\n".join(lines).replace("import convis\n", "import convis_core as convis\n") for lines in blocks if lines]


def test_running_convis_as_a_simulator(page: str, shared: Path, tmp_path: Path) -> None:
    """Each of the three inputs, the files being real ones."""
    movie = (convis.samples.moving_grating(60)[:, :12, :14] * 100 + 100).clip(0, 255).astype(np.uint8)
    for k, frame in enumerate(movie[:20]):
        imageio.imwrite(tmp_path / f"input_{k:03d}.jpg", frame)
    with convis.streams.VideoWriter(tmp_path / "a_video.mp4", steps_per_second=1000.0) as film:
        film.put(movie / 255.0)
    made, configured, inputs, run_it, *looked_at, drawn = interactive(
        section(page, "Quickstart: Running Convis as a simulator")
    )
    example = shared / "reference" / "virtualretina" / "configs" / "full_square_no_noise.xml"
    assert "path/to/config_file.xml" in configured
    names: dict[str, Any] = {"np": np, "plt": plt, "title": plt.title}
    exec(made, names)
    assert names["retina"].output_names == ("ganglion_spikes_ON", "ganglion_spikes_OFF")
    exec(configured.replace("path/to/config_file.xml", str(example)), names)
    assert names["retina"].resolution == convis.Resolution(20.0, 200.0)
    for source in inputs.splitlines():
        exec(source.replace("2000,50,50", "600,12,14"), names)
        names["retina"].clear_state()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", convis.errors.ResolutionWarning)
            exec(run_it, names)
        o = names["o"]
        assert o.array(0).shape == o.array(1).shape and o.n_frames in (20, 60, 600)
        for line in "\n".join(looked_at).splitlines():
            assert eval(line, names) is True
        exec(drawn, names)
        plt.close("all")
    assert not (np.asarray(o[0]) == np.asarray(o[1])).all()


def test_running_a_model(page: str) -> None:
    blocks = [block for block in code(section(page, "Running a Model")) if "retina" not in block]
    assert len(blocks) == 2
    assert run(blocks)["o"].array().shape == (1, 1, 2000, 20, 20)


def test_a_runner_of_a_retina_writes_inr(page: str, tmp_path: Path) -> None:
    """Without an end of its own: the page only starts it."""
    (block,) = [block for block in code(page) if "convis.Runner(" in block]
    runner = run([block])["runner"]
    film = tmp_path / "output.inr"
    deadline = time.monotonic() + 60.0
    while not film.is_file() and time.monotonic() < deadline:
        runner.join(0.05)
    runner.stop()
    spikes = convis.streams.InrImageStreamer(film)
    assert spikes.size == (50, 50) and spikes.length >= 1
    assert set(spikes.get(200).unique().tolist()) <= {0.0, 1.0, 2.0, 3.0}
