"""A script that ends while a run goes on ends cleanly, with its outputs complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from convis_core.streams import VideoReader

SCRIPT = """
import sys, time
import convis_core as convis
model = convis.models.LN(kernel_dim=(10, 5, 5))
sink = convis.streams.VideoWriter(sys.argv[1], steps_per_second=100.0, value_range=(-9.0, 9.0))
runner = convis.Runner(model, convis.streams.RandomStream(size=(32, 32), seed=1), sink, dt=50)
runner.start()
while sink.n_put < 50:
    time.sleep(0.01)
"""


def test_a_forgotten_run_ends_with_the_interpreter(tmp_path: Path) -> None:
    film = tmp_path / "out.mp4"
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(film)], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    with VideoReader(film, steps_per_second=100.0) as reader:
        assert reader.length is not None
        assert reader.length >= 50
