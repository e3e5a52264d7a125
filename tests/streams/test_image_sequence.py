"""Image files as frames."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from convis_core.errors import StreamError, VideoError
from convis_core.streams import ImageSequence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve grey images ``picture_0`` to ``picture_11``, the number being the brightness."""
    for k in range(12):
        imageio.imwrite(tmp_path / f"picture_{k}.png", np.full((6, 8), 20 * k, np.uint8))
    return tmp_path


def test_natural_order_and_brightness(folder: Path) -> None:
    stream = ImageSequence(str(folder / "picture_*.png"), repeat=3)
    frames = stream.get(100)
    assert frames.shape == (1, 1, 36, 6, 8) and frames.dtype == torch.float32
    expected = torch.arange(12).repeat_interleave(3) * 20 / 255
    torch.testing.assert_close(frames[0, 0, :, 2, 3], expected)


def test_cut_and_seek_do_not_matter(folder: Path) -> None:
    stream = ImageSequence(folder / "picture_*.png", repeat=4, steps_per_second=60)
    whole = stream.get(48)
    stream.seek(0)
    assert torch.equal(torch.cat([stream.get(n) for n in (1, 5, 0, 30, 99)], dim=2), whole)
    stream.seek(17)
    assert torch.equal(stream.get(6), whole[:, :, 17:23]) and stream.remaining == 25
    assert (stream.length, stream.size, stream.steps_per_second) == (48, (6, 8), 60.0)


def test_a_list_keeps_its_order(folder: Path) -> None:
    names = [folder / f"picture_{k}.png" for k in (5, 1, 10)]
    assert (ImageSequence(names).get(3)[0, 0, :, 0, 0] * 255 / 20).round().tolist() == [5, 1, 10]


def test_crop_is_centred_or_where_asked(tmp_path: Path) -> None:
    picture = np.arange(80, dtype=np.uint8).reshape(8, 10)
    imageio.imwrite(tmp_path / "a.png", picture)
    centred = ImageSequence(tmp_path / "a.png", size=(4, 6)).get(1)[0, 0, 0]
    assert torch.equal((centred * 255).round(), torch.tensor(picture[2:6, 2:8], dtype=torch.float32))
    corner = ImageSequence(tmp_path / "a.png", size=(4, 6), offset=(0, 3)).get(1)[0, 0, 0]
    assert torch.equal((corner * 255).round(), torch.tensor(picture[0:4, 3:9], dtype=torch.float32))
    rest = ImageSequence(tmp_path / "a.png", offset=(2, 3))
    assert rest.size == (6, 7)
    assert torch.equal((rest.get(1)[0, 0, 0] * 255).round(), torch.tensor(picture[2:, 3:], dtype=torch.float32))
    for options, message in (
        ({"offset": (8, 0)}, "leaves nothing of a picture of 8x10"),
        ({"offset": (0, 1), "mode": "resize"}, "an offset means nothing"),
        ({"offset": (1, 1), "size": (8, 10)}, "does not fit"),
        ({"offset": 3}, "first row, first column"),
    ):
        with pytest.raises(StreamError, match=message):
            ImageSequence(tmp_path / "a.png", **options).get(1)


def test_resize_keeps_the_mean_and_straight_gradients(tmp_path: Path) -> None:
    picture = np.tile(np.linspace(0, 250, 40), (20, 1)).astype(np.uint8)
    imageio.imwrite(tmp_path / "a.png", picture)
    small = ImageSequence(tmp_path / "a.png", size=(5, 10), mode="resize").get(1)[0, 0, 0]
    assert small.mean().item() == pytest.approx(picture.mean() / 255, abs=0.003)
    inner = small[2, 1:-1].diff()
    assert torch.allclose(inner, inner.mean().expand_as(inner), atol=0.005) and inner.mean() > 0.09


@pytest.mark.parametrize(
    ("gray", "expected"),
    [("luminance", 0.299 * 0.2 + 0.587 * 0.4 + 0.114 * 0.8), ("red", 0.2), ("green", 0.4), ("blue", 0.8)],
)
def test_colour_becomes_grey(tmp_path: Path, gray: str, expected: float) -> None:
    colour = np.zeros((3, 4, 4), np.uint8) + np.array([51, 102, 204, 90], np.uint8)  # with opacity
    imageio.imwrite(tmp_path / "a.png", colour)
    frame = ImageSequence(tmp_path / "a.png", gray=gray).get(1)
    assert frame.flatten().tolist() == pytest.approx([expected] * 12, abs=1e-6)


def test_sixteen_bits_and_black_and_white(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "deep.png", np.full((2, 2), 13107, np.uint16))
    assert ImageSequence(tmp_path / "deep.png").get(1).mean().item() == pytest.approx(0.2, abs=1e-6)
    imageio.imwrite(tmp_path / "bits.png", np.eye(2, dtype=bool))
    assert ImageSequence(tmp_path / "bits.png").get(1)[0, 0, 0].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_name_with_brackets_is_found_as_it_is(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "cell[1].png", np.zeros((2, 3), np.uint8))
    assert ImageSequence(tmp_path / "cell[1].png").size == (2, 3)


def test_no_match_names_pattern_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VideoError) as caught:
        ImageSequence(str(tmp_path / "input_*.jpg"))
    assert "input_*.jpg" in str(caught.value) and str(tmp_path) in str(caught.value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VideoError, match=r"looked in .*, which holds 0 entries"):
        ImageSequence("input_*.jpg")
    with pytest.raises(VideoError, match="which does not exist"):
        ImageSequence("nowhere/input_*.jpg")
    with pytest.raises(VideoError, match="empty list"):
        ImageSequence([])


def test_broken_images_are_named(folder: Path) -> None:
    (folder / "picture_3.png").write_text("no image")
    stream = ImageSequence(folder / "picture_*.png")
    with pytest.raises(VideoError, match=r"picture_3\.png \(8 bytes\) cannot be read as an image"):
        stream.get(12)
    with pytest.raises(VideoError, match="no image file"):
        ImageSequence([folder / "absent.png"])


def test_images_smaller_than_the_crop_are_refused_by_name(folder: Path) -> None:
    with pytest.raises(StreamError, match=r'picture_0\.png: A crop of 50x50 .* picture of 6x8.*mode="resize"'):
        ImageSequence(folder / "picture_*.png", size=(50, 50))
    imageio.imwrite(folder / "picture_12.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(StreamError, match=r"picture_12\.png"):
        ImageSequence(folder / "picture_*.png").get(13)


@pytest.mark.parametrize(
    "arguments",
    [{"mode": "stretch"}, {"gray": "pink"}, {"repeat": 0}, {"size": "big"}, {"offset": 3}, {"steps_per_second": -1}],
)
def test_nonsense_is_refused(folder: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(StreamError, match="Expected"):
        ImageSequence(folder / "picture_*.png", **arguments)  # type: ignore[arg-type]


def test_closed_is_closed(folder: Path) -> None:
    with ImageSequence(folder / "picture_*.png") as stream:
        stream.get(2)
    stream.close()
    with pytest.raises(StreamError, match="has been closed"):
        stream.get(1)
