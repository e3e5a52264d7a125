"""Films as frames at the model's rate."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convis_core.errors import StreamError
from convis_core.resolution import Resolution, use_resolution
from convis_core.streams import RepeatingStream, VideoReader, video
from convis_core.streams.film import film_rate, film_timing

Films = Callable[..., Path]
LEVEL = 1.5 / 255  # the writer rounds to 8 bits, the coded range of luminance has 220 levels


@pytest.fixture(scope="module")
def path(film: Films) -> Path:
    return film(n=40, x=12, y=20, fps=25.0)


def held(frames: Tensor, fps: Fraction, rate: Fraction) -> Tensor:
    """What a film of `fps` shows at `rate`: frame floor(s fps / rate) at step s."""
    n = math.ceil(len(frames) * rate / fps)
    return frames[[math.floor(s * fps / rate) for s in range(n)]]


@pytest.mark.parametrize("rate", [25, 50, 1000, 10, 24, 30, 333.5])
def test_frames_are_held_at_any_rate(path: Path, ramp: Callable[..., Tensor], rate: float) -> None:
    expected = held(ramp(40), Fraction(25), Fraction(rate))
    with VideoReader(path, steps_per_second=rate) as film:
        assert (film.length, film.film_rate, film.n_frames) == (len(expected), 25.0, 40)
        frames = film.get(10**6)
    assert frames.dtype == torch.float32 and frames.min() >= 0.0 and frames.max() <= 1.0
    torch.testing.assert_close(frames[0, 0], expected, atol=LEVEL, rtol=0)


@pytest.mark.parametrize(("x", "y"), [(12, 20), (13, 21), (13, 20), (12, 21), (2, 2), (1, 3)])
@pytest.mark.parametrize("fps", [30.0, 29.97])
def test_any_size_and_rate_come_back_exactly(
    film: Films, ramp: Callable[..., Tensor], x: int, y: int, fps: float
) -> None:
    reader = VideoReader(film(9, x, y, fps), steps_per_second=fps)
    assert (reader.size, reader.length) == ((x, y), 9)
    torch.testing.assert_close(reader.get(9)[0, 0], ramp(9, x, y), atol=LEVEL, rtol=0)


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 120), max_size=5), jump=st.integers(0, 160))
def test_cuts_and_jumps_do_not_matter(path: Path, cuts: list[int], jump: int) -> None:
    with VideoReader(path, steps_per_second=100.0) as film:
        whole = film.get(160)
        film.seek(0)
        assert torch.equal(torch.cat([film.get(n) for n in [*cuts, 160]], dim=2), whole)
        film.seek(jump)
        assert film.remaining == 160 - jump
        assert torch.equal(film.get(9), whole[:, :, jump : jump + 9])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_a_far_jump_meets_the_very_frame(film: Films, ffmpeg: Callable[..., None], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    ffmpeg("-i", str(film(400, 16, 16, 30.0)), "-c:v", "mpeg4", "-q:v", "1", "-g", "12", str(path))
    whole = VideoReader(path, steps_per_second=30.0).get(400)
    assert whole.shape[2] == 400
    for jump in (380, 200, 399, 1, 331):  # each farther than reading on would be worth
        film_again = VideoReader(path, steps_per_second=30.0)
        film_again.seek(jump)
        assert torch.equal(film_again.get(2), whole[:, :, jump : jump + 2])


def test_frames_at_unequal_times_are_shown_at_their_times(
    film: Films, ffmpeg: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "uneven.mp4"  # every frame of the first second, then one in three
    source, keep = film(120, fps=30.0), "select='lt(n,30)+not(mod(n,3))'"
    ffmpeg("-i", str(source), "-vf", keep, "-fps_mode", "vfr", "-crf", "0", str(path))
    even, uneven = (VideoReader(p, steps_per_second=30.0) for p in (source, path))
    assert uneven.length == pytest.approx(120, abs=3)
    a, b = even.get(118), uneven.get(118)
    shown = [k if k < 30 else k - k % 3 for k in range(116)]
    torch.testing.assert_close(b[:, :, :116], a[:, :, shown], atol=LEVEL, rtol=0)


def test_crop_and_resize(film: Films, ramp: Callable[..., Tensor]) -> None:
    path, frames = film(5, 24, 30), ramp(5, 24, 30)
    cropped = VideoReader(path, size=(7, 9), steps_per_second=25.0)
    torch.testing.assert_close(cropped.get(5)[0, 0], frames[:, 8:15, 10:19], atol=LEVEL, rtol=0)
    assert VideoReader(path, offset=(1, 2)).size == (23, 28)
    corner = VideoReader(path, size=(7, 9), offset=(1, 0), steps_per_second=25.0)
    torch.testing.assert_close(corner.get(5)[0, 0], frames[:, 1:8, 0:9], atol=LEVEL, rtol=0)
    small = VideoReader(path, size=(8, 10), mode="resize", steps_per_second=25.0).get(5)[0, 0]
    averaged = torch.nn.functional.avg_pool2d(frames, 3)
    torch.testing.assert_close(small[:, 1:-1, 1:-1], averaged[:, 1:-1, 1:-1], atol=0.012, rtol=0)
    assert VideoReader(path, size=(50, 61), mode="resize").get(1).shape == (1, 1, 1, 50, 61)


@pytest.mark.parametrize(("gray", "expected"), [("luminance", 0.299), ("red", 1.0), ("green", 0.0), ("blue", 0.0)])
def test_colour_films(ffmpeg: Callable[..., None], tmp_path: Path, gray: str, expected: float) -> None:
    picture, path = tmp_path / "red.png", tmp_path / "red.mkv"
    imageio.imwrite(picture, np.full((12, 16, 3), (255, 0, 0), np.uint8))
    still = ("-framerate", "10", "-loop", "1", "-i", str(picture), "-frames:v", "5")
    ffmpeg(*still, "-c:v", "ffv1", "-pix_fmt", "bgr0", str(path))
    with VideoReader(path, gray=gray, steps_per_second=10.0) as film:
        assert film.size == (12, 16) and film.length == 5
        assert (film.get(5) - expected).abs().max() < LEVEL


def test_a_turned_film_is_upright(film: Films, ffmpeg: Callable[..., None], tmp_path: Path) -> None:
    path = film(5, 12, 20)
    ffmpeg("-display_rotation", "90", "-i", str(path), "-c", "copy", str(tmp_path / "turned.mp4"))
    turned = VideoReader(tmp_path / "turned.mp4", steps_per_second=25.0)
    assert turned.size == (20, 12)
    expected = VideoReader(path, steps_per_second=25.0).get(5).rot90(1, (3, 4))
    torch.testing.assert_close(turned.get(5), expected, atol=LEVEL, rtol=0)


def test_the_default_rate_is_that_of_the_resolution(path: Path) -> None:
    with use_resolution(Resolution(10.0, 200.0)):
        assert VideoReader(path).steps_per_second == 200.0
    assert VideoReader(path).length == 1600


def test_a_film_in_a_loop(path: Path) -> None:
    with RepeatingStream(VideoReader(path, steps_per_second=25.0)) as loop:
        frames = loop.get(100)
        assert torch.equal(frames[:, :, 40:80], frames[:, :, :40]) and torch.equal(frames[:, :, 80:], frames[:, :, :20])


def test_a_film_is_decoded_once_whatever_the_chunks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    decoder = video.Decoder
    monkeypatch.setattr(video, "Decoder", lambda *a: started.append(a[-1]) or decoder(*a))
    with VideoReader(path, steps_per_second=100.0) as film:
        for _ in range(32):
            film.get(5)
        assert started == [0]
        film.seek(0)
        film.get(1)
        assert started == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (100, 100)}, r"100x100 .* picture of 12x20"),
        ({"size": (5, 5), "offset": (10, 0)}, "does not fit"),
        ({"size": (0, 5)}, "rows of a frame"),
        ({"mode": "fit"}, "mode to be one of"),
        ({"gray": "grey"}, "gray to be one of"),
        ({"offset": 1, "size": (3, 3)}, "offset="),
        ({"steps_per_second": 0}, "steps_per_second"),
        ({"steps_per_second": float("inf")}, "steps_per_second"),
    ],
)
def test_nonsense_is_refused_at_the_door(path: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(StreamError, match=message):
        VideoReader(path, **arguments)  # type: ignore[arg-type]


def test_positions_are_checked(path: Path) -> None:
    with VideoReader(path, steps_per_second=25.0) as film:
        with pytest.raises(StreamError, match="outside this stream of 40 frames"):
            film.seek(41)
        film.seek(40)
        assert film.get(5).shape == (1, 1, 0, 12, 20)
    with pytest.raises(StreamError, match="has been closed"):
        film.get(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        film.close()


@pytest.mark.parametrize(
    ("printed", "exact"),
    [
        ("23.98", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("14.99", Fraction(15000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("30", Fraction(30)),
        ("7.19", Fraction(719, 100)),
        ("0.5", Fraction(1, 2)),
    ],
)
def test_printed_rates_become_exact(printed: str, exact: Fraction) -> None:
    assert film_rate(printed) == exact


@pytest.mark.parametrize(
    ("rates", "progress", "expected"),
    [
        ("25 fps, 25 tbr", "frame=  100 fps=0.0 q=-1.0 size=N/A time=00:00:03.92", (Fraction(25), 100, True)),
        ("29.97 fps, 29.97 tbr", "frame= 9 q=-1 time=00:00:00.20", (Fraction(30000, 1001), 9, True)),
        ("15 fps, 30 tbr", "frame= 60 q=-1 time=00:00:04.00", (Fraction(30), 120, False)),  # uneven
        ("30 fps, 30 tbr", "frame= 60 q=-1 time=00:00:04.00", (Fraction(30), 120, False)),  # says 30, is uneven
        ("1k tbr", "frame= 60 q=-1 time=00:00:04.00", (Fraction(15), 60, False)),  # from a browser: no rate at all
        ("25 fps, 60 tbr", "frame= 60 q=-1 time=N/A", (Fraction(25), 60, False)),  # a bare stream
        ("25 fps, 60 tbr", "frame= 60 q=-1 time=00:00:00.04", (Fraction(25), 60, False)),
        ("25 fps, 25 tbr", "frame=    0 q=-1 time=N/A", None),
        ("", "frame= 3 q=-1 time=00:00:01.00", None),
    ],
)
def test_reports_of_ffmpeg_are_understood(rates: str, progress: str, expected: tuple[object, ...] | None) -> None:
    report = f"Duration: 00:00:04.00, start\n  Stream #0:0: Video: h264, 64x48, {rates}, 12k tbn\n{progress} speed=1x\r"
    assert film_timing(report) == expected
