"""A film shows every frame asked for at its rate, and its page needs no other file."""

from __future__ import annotations

import base64
import itertools
import re
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from convis_core.errors import ParameterError, ShapeError
from convis_core.plotting import animate
from convis_core.resolution import Resolution

CLIP = np.zeros((8, 6, 9))
CLIP[np.arange(8), 2, np.arange(8)] = 1.0


def test_gif_shows_every_frame_on_one_scale(tmp_path: Path) -> None:
    path = animate(CLIP, tmp_path / "film.gif", fps=20.0, resolution=Resolution(10.0, 100.0))
    with Image.open(path) as film:
        assert film.n_frames == 8 and film.info["duration"] == 50
        pictures = []
        for k in range(8):
            film.seek(k)
            pictures.append(np.asarray(film.convert("L"), float))
    places = [int((picture - pictures[0])[60:340].sum(axis=0).argmax()) for picture in pictures[1:]]
    assert all(a < b for a, b in itertools.pairwise(places))  # the bright pixel moves to the right


def test_mp4_has_its_frames_and_rate(tmp_path: Path) -> None:
    path = animate(CLIP, tmp_path / "film.mp4", every=2, fps=10.0)
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 4 and seconds == pytest.approx(0.4, abs=0.01)


def test_page_carries_its_film(tmp_path: Path) -> None:
    text = animate(CLIP - 0.5, tmp_path / "a & b.html").read_text()
    assert "<title>a &amp; b</title>" in text and "http" not in text
    found = re.search(r'src="data:video/mp4;base64,([^"]+)"', text)
    assert found and base64.b64decode(found[1])[4:8] == b"ftyp"
    assert [p.name for p in tmp_path.iterdir()] == ["a & b.html"]


@pytest.mark.parametrize(
    ("clip", "name", "options", "error", "message"),
    [
        (CLIP, "film.txt", {}, ParameterError, "Let the name end in"),
        (CLIP, "film.gif", {"every": 0}, ParameterError, "every of 1 or more"),
        (CLIP, "film.gif", {"every": 1.5}, ParameterError, "every of 1 or more"),
        (CLIP, "film.gif", {"fps": 0.0}, ParameterError, "fps up to 100"),
        (np.zeros((2, 1, 3, 4, 4)), "film.gif", {}, ShapeError, "one batch and one channel"),
    ],
)
def test_nonsense_is_refused(
    tmp_path: Path, clip: Any, name: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        animate(clip, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []
