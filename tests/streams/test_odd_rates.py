"""Films whose rate two printed decimals cannot tell: time-lapses, and cameras with a rate of their own."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from torch import Tensor

from convis_core.streams import VideoReader
from convis_core.streams.film import even_rate, film_timing, probe

Run = Callable[..., None]
LEVEL = 1.5 / 255


def listed(times: list[int], tick: Fraction = Fraction(1, 1000)) -> str:
    """What ffmpeg's framecrc says of packets at these times."""
    rows = [f"0, {t:10}, {t:10}, 1, 182, 0x44d75992, F=0x0" for t in times]
    return "\n".join([f"#tb 0: {tick.numerator}/{tick.denominator}", *rows])


@pytest.fixture
def at_rate(film: Callable[..., Path], ffmpeg: Run, tmp_path: Path) -> Callable[..., Path]:
    """The ramp at a rate given as a fraction."""

    def make(rate: Fraction, n: int = 12, suffix: str = ".mp4") -> Path:
        source, path = film(n, 12, 20), tmp_path / f"odd{suffix}"
        kind = ("-c:v", "libx264", "-crf", "0", "-g", "12") if suffix in (".mp4", ".mkv") else ("-c:v", "ffv1")
        pace = ("-vf", f"settb=1/100000,setpts=N/({rate})/TB", "-r", str(rate))
        ffmpeg("-i", str(source), *pace, *kind, str(path))
        return path

    return make


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize("rate", ["1/10", "1/3", "3/4", "1/60", "1/1000", "100/3", "719/100", "25/2"])
def test_the_rate_is_exact(at_rate: Callable[..., Path], ramp: Callable[..., Tensor], rate: str, suffix: str) -> None:
    exact = Fraction(rate)
    path = at_rate(exact, suffix=suffix)
    found = probe(path)
    assert (found.rate, found.n_frames, found.is_steady) == (exact, 12, True)
    with VideoReader(path, steps_per_second=4 * float(exact)) as reader:
        assert reader.length == pytest.approx(48, abs=1) and reader.n_frames == 12
        frames = reader.get(100)[0, 0]
    torch.testing.assert_close(frames[1::4], ramp(12, 12, 20), atol=LEVEL, rtol=0)


@pytest.mark.parametrize("rate", ["100/3", "1/3"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_no_frame_is_lost_and_a_far_jump_meets_the_very_one(
    at_rate: Callable[..., Path], ramp: Callable[..., Tensor], rate: str, suffix: str
) -> None:
    """At 33.33 Hz instead of 33 1/3 one would meet the frame before, 2500 frames on; at 0.33 instead of 1/3, 25."""
    n = 3000 if rate == "100/3" and suffix == ".mp4" else 400
    path = at_rate(Fraction(rate), n, suffix)
    reader = VideoReader(path, steps_per_second=float(Fraction(rate)))
    assert reader.length == n
    whole = reader.get(n)
    torch.testing.assert_close(whole[0, 0, :, :1, :1], ramp(n, 12, 20)[:, :1, :1], atol=LEVEL, rtol=0)
    for jump in (n - 2, n // 2):
        again = VideoReader(path, steps_per_second=float(Fraction(rate)))
        again.seek(jump)
        assert torch.equal(again.get(2), whole[:, :, jump : jump + 2])


def test_the_simplest_rate_is_taken_that_fits_the_times() -> None:
    thirds = [round(k * 1000 * 3.0) for k in range(9)]
    assert even_rate(listed(thirds), Fraction("0.33")) == Fraction(1, 3)
    assert even_rate(listed([round(k * 1000 / 7.19) for k in range(300)]), Fraction("7.19")) == Fraction(719, 100)
    assert even_rate(listed([0, 1, 2, 3], Fraction(3, 100)), Fraction(33)) == Fraction(100, 3)
    assert even_rate(listed([40, 0, 80, 120]), Fraction(25)) == 25  # as decoded, not as shown


@pytest.mark.parametrize(
    "packets",
    [
        "",
        listed([0]),
        listed([0, 0, 0]),
        listed([0, 40, 80, 160]),  # the last one late
        listed([0, 1, 3, 4], Fraction(1, 25)),  # a frame left out, of a clock that has only whole frames
        listed([-(2**63)] * 3),
        listed([0, 40, 80]).replace("#tb", "#bt"),
    ],
)
def test_frames_at_unequal_times_have_no_rate(packets: str) -> None:
    assert even_rate(packets, Fraction(25)) is None


def test_an_unsteady_film_stays_one_and_a_broadcast_rate_its_own() -> None:
    report = "Stream #0:0: Video: h264, 64x48, {} fps, {} tbr, 12k tbn\nframe= 60 q=-1 time=00:00:{} speed=1x\r"
    uneven = listed([1000 * k // 30 + 20 * (k > 30) for k in range(60)])
    assert film_timing(report.format("15", "30", "04.00"), uneven) == (Fraction(30), 123, False)
    even = listed([round(k * 1001 / 30) for k in range(60)])
    assert film_timing(report.format("29.97", "29.97", "02.00"), even) == (Fraction(30000, 1001), 60, True)


def test_the_times_of_the_frames_count_and_not_the_rate_in_the_header(
    film: Callable[..., Path], ramp: Callable[..., Tensor], ffmpeg: Run, tmp_path: Path
) -> None:
    slowed = ("-c", "copy", "-bsf:v", "setts=ts=TS*2")
    ffmpeg("-i", str(film(60, 12, 20, 30.0, ".mkv")), *slowed, str(tmp_path / "slowed.mkv"))
    with VideoReader(tmp_path / "slowed.mkv", steps_per_second=15.0) as reader:
        assert (reader.film_rate, reader.length) == (15.0, 60)
        torch.testing.assert_close(reader.get(60)[0, 0], ramp(60), atol=LEVEL, rtol=0)
