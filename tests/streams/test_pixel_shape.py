"""Films whose pixels are not square, and films that were turned: a circle stays a circle, the right way up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from convis_core.streams import VideoReader, VideoWriter
from convis_core.streams.film import probe

Run = Callable[..., None]
N = 12
SIZE = (72, 96)  # of the disc's film as it should be seen
RESCALED = 0.03  # what squeezing and widening again may change, on average


def disc(n: int = N) -> Tensor:
    """``[time, x, y]``: a disc with a dimmer patch above it, so that up, down, left and right differ."""
    x, y = torch.arange(72)[:, None], torch.arange(96)
    frame = ((x - 40) ** 2 + (y - 40) ** 2 < 20**2).float()
    frame[4:12, 60:90] = 0.25
    return frame * torch.linspace(0.5, 1.0, n)[:, None, None]


def roundness(frame: Tensor) -> float:
    """Spread of what is bright along x by that along y: 1 for a disc."""
    weight = (frame > 0.5 * disc()[-1].max()).float()
    spread = []
    for axis in (1, 0):
        line = weight.sum(axis) / weight.sum()
        place = torch.arange(len(line)) - (line * torch.arange(len(line))).sum()
        spread.append(float((line * place**2).sum().sqrt()))
    return spread[0] / spread[1]


@pytest.fixture
def squeezed(tmp_path: Path, ffmpeg: Run) -> Callable[..., Path]:
    """The disc in frames of another width, whose header says how wide a pixel is."""

    def make(width: int, aspect: str, *options: str, suffix: str = ".mp4", n: int = N) -> Path:
        source, path = tmp_path / "square.mp4", tmp_path / f"squeezed{suffix}"
        with VideoWriter(source, steps_per_second=25.0, crf=0) as writer:
            writer.put(disc(n))
        kind = ("-c:v", "libx264", "-crf", "0", "-g", "10") if suffix != ".avi" else ("-c:v", "mpeg4", "-q:v", "1")
        ffmpeg("-i", str(source), "-vf", f"scale={width}:72,setsar={aspect}:max=2000", *kind, *options, str(path))
        return path

    return make


@pytest.mark.parametrize(("width", "aspect"), [(72, "4/3"), (90, "16/15"), (108, "8/9"), (48, "2")])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_circle_stays_a_circle(squeezed: Callable[..., Path], width: int, aspect: str, suffix: str) -> None:
    with VideoReader(squeezed(width, aspect, suffix=suffix), steps_per_second=25.0) as film:
        assert (film.film_size, film.size, film.length) == (SIZE, SIZE, N)
        frames = film.get(N)[0, 0]
    assert roundness(frames[-1]) == pytest.approx(1.0, abs=0.02)
    assert (frames - disc()).abs().mean() < RESCALED


def test_crop_and_resize_refer_to_the_film_as_it_is_seen(squeezed: Callable[..., Path]) -> None:
    path = squeezed(72, "4/3")
    whole = VideoReader(path, steps_per_second=25.0).get(N)
    corner = VideoReader(path, size=(30, 20), offset=(5, 70), steps_per_second=25.0)
    assert torch.equal(corner.get(N), whole[..., 5:35, 70:90])
    assert torch.equal(VideoReader(path, size=(72, 90), steps_per_second=25.0).get(N), whole[..., 3:93])
    assert VideoReader(path, offset=(2, 80)).size == (70, 16)
    small = VideoReader(path, size=(36, 48), mode="resize", steps_per_second=25.0).get(N)
    averaged = torch.nn.functional.avg_pool2d(whole[0, 0], 2)
    assert (small[0, 0] - averaged).abs().mean() < RESCALED
    assert roundness(small[0, 0, -1]) == pytest.approx(1.0, abs=0.04)  # in fewer pixels


@pytest.mark.parametrize("gray", ["luminance", "green"])
def test_a_jump_in_it_meets_the_very_frame(squeezed: Callable[..., Path], gray: str) -> None:
    path = squeezed(72, "4/3", n=300)
    whole = VideoReader(path, gray=gray, steps_per_second=25.0).get(300)
    assert whole.shape == (1, 1, 300, *SIZE)
    for jump in (290, 1, 171):
        film = VideoReader(path, gray=gray, steps_per_second=25.0)
        film.seek(jump)
        assert torch.equal(film.get(3), whole[:, :, jump : jump + 3])


@pytest.mark.parametrize("aspect", ["1", "0", "1280/1281", "100/101"])
def test_square_pixels_are_left_alone_to_the_bit(squeezed: Callable[..., Path], ffmpeg: Run, aspect: str) -> None:
    path = squeezed(94, aspect)
    decoded = path.with_suffix(".raw")  # by ffmpeg alone
    ffmpeg("-i", str(path), "-vf", "format=gray", "-f", "rawvideo", str(decoded))
    with VideoReader(path, steps_per_second=25.0) as film:
        assert film.film_size == (72, 94)
        frames = film.get(N).mul(255.0).round().to(torch.uint8)
    assert frames.numpy().tobytes() == decoded.read_bytes()


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize(("width", "aspect"), [(96, "1"), (72, "4/3")])
def test_a_turned_film_is_upright_and_its_pixels_square(
    squeezed: Callable[..., Path], ffmpeg: Run, turn: int, width: int, aspect: str
) -> None:
    path = squeezed(width, aspect)
    turned = path.with_stem("turned")
    ffmpeg("-display_rotation", str(turn), "-i", str(path), "-c", "copy", str(turned))
    expected = disc().rot90(turn // 90, (1, 2))
    with VideoReader(turned, steps_per_second=25.0) as film:
        frames = film.get(N)[0, 0]
        assert film.size == film.film_size == tuple(frames.shape[1:])
    # rows are kept, and those of a film on its side were columns
    assert probe(turned).size == ((72, 54) if width == 72 and turn != 180 else tuple(expected.shape[1:]))
    if tuple(frames.shape) != tuple(expected.shape):
        expected = torch.nn.functional.interpolate(expected[None], frames.shape[1:], mode="bilinear", antialias=True)[0]
    assert roundness(frames[-1]) == pytest.approx(1.0, abs=0.02)
    assert (frames - expected).abs().mean() < RESCALED


@pytest.mark.parametrize("flip", ["-display_hflip", "-display_vflip"])
def test_a_mirrored_film_is_as_players_show_it(squeezed: Callable[..., Path], ffmpeg: Run, flip: str) -> None:
    path = squeezed(96, "1")
    mirrored = path.with_stem("mirrored")
    ffmpeg(flip, "-i", str(path), "-c", "copy", str(mirrored))
    with VideoReader(mirrored, steps_per_second=25.0) as film:
        assert film.size == SIZE
        assert (film.get(N)[0, 0] - disc().flip(2 if "hflip" in flip else 1)).abs().mean() < RESCALED
