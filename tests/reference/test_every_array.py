"""Which stored arrays no test compares with, and why: a list that must stay true when arrays are added."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import numpy as np
import pytest

NOT_COMPARED = {
    "convis/bipolar_*sps *lambda100*": "a loop that is 10 000 times too strong; bipolar_consistent is right",
    "convis/bipolar_*sps *_dt37": "equal to the whole runs, which ours equal in any chunks",
    "convis/ganglion_input_*sps *_dt37": "equal to the whole runs, which ours equal in any chunks",
    "convis/delay *_length[34]_*": "gives the frames before the clip again in every chunk",
    "convis/delay *_length0_dt*": "equal to the whole runs, which ours equal in any chunks",
    "convis/delay variable_dt*": "equal to the whole runs, which ours equal in any chunks",
    "convis/fit_ln final_weight_LBFGS": "its line search sees another loss at every evaluation",
    "convis/spatial_recursive *_ones": "dark borders; ours leaves uniform images alone",
    "convis/spatial_recursive *_row0": "the first row leaks into the last",
    "convis/spatial_recursive output_sig0.3_random": "the dark border reaches every pixel",
    "convis/spatial_recursive density_*": "one over the scale in pixels",
    "convis/spiking_integrative_motion_sensor *_thr0.3": "integrates its input, and an event moves other pixels too",
    "convis/spiking_integrative_motion_sensor *_log*": "integrates its input, and an event moves other pixels too",
    "convis/time_padding length9_dt[45]": "drops what is too long a past for the chunk",
    "convis/time_padding length15_dt*": "drops what is too long a past for the chunk",
    "fitting/* rate": "the expected counts; the true filters and spikes are compared",
    "virtualretina/lif_square_noise *__unit_*": "the units of lif_square_no_noise",
    "virtualretina/* *__unit_layer": "which is 0, or the layer whose units are compared",
}


@pytest.mark.parametrize("pattern", NOT_COMPARED)
def test_what_is_left_out_is_there(shared: Path, pattern: str) -> None:
    assert len(NOT_COMPARED[pattern]) > 20
    file, _, keys = pattern.partition(" ")
    folder, _, name = file.partition("/")
    files = sorted((shared / "reference" / folder).rglob(f"{name}.npz"))
    assert any(fnmatch.filter(np.load(path).files, keys) for path in files)


def test_runs_in_chunks_that_are_left_out_are_the_whole_runs(shared: Path) -> None:
    """So that nothing is lost by leaving them out."""
    for path in sorted((shared / "reference" / "convis").glob("*.npz")):
        if not path.stem.startswith(("bipolar_1", "bipolar_2", "ganglion_input", "delay")):
            continue
        with np.load(path) as data:
            for key in data.files:
                whole = key.rpartition("_dt")[0]
                whole = whole if whole in data.files else f"{whole}_whole"
                if "_dt" not in key or "length3" in key or "length4" in key or whole not in data.files:
                    continue
                error = np.abs(data[key] - data[whole]).max()
                assert error <= 1e-5 * np.abs(data[whole]).max(), f"{path.stem} {key}: {error}"
