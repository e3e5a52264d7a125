"""What a film file holds: its size, its rate and how many frames there really are."""

from __future__ import annotations

import math
import re
import subprocess
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from convis_core.errors import VideoError
from convis_core.streams.ffmpeg import program, without_address

__all__ = ["Film", "even_rate", "film_rate", "film_timing", "probe"]

_COUNTED: Final = ("-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-y")
_FIRST: Final = ("-map", "0:v:0", "-frames:v", "1", "-c:v", "pgm", "-pix_fmt", "gray", "-f", "image2pipe", "pipe:1")
_RATES: Final = re.compile(r"Stream #0:\d+.*?: Video:.*?(?: ([\d.]+k?) fps,)? ([\d.]+k?) tbr")
_PROGRESS: Final = re.compile(r"frame= *(\d+) .*?time=(?:N/A|(\d+):(\d+):([\d.]+))")
_DURATION: Final = re.compile(r"Duration: (\d+):(\d+):([\d.]+)")
_COMPLAINT: Final = re.compile(r"\[(?:error|fatal)\] *(.*)")
_PIXEL: Final = re.compile(r"Stream #1:0.*?: Video: pgm.*?\[SAR (\d+):(\d+) ")
_NEARLY_SQUARE: Final = 0.01  # from 1: 854x480 for 16:9 is no reason to blur a film, and the narrowest real one is 0.06
_INDEXED: Final = re.compile(r"Input #0, (?:mov|matroska|avi)")
_TICK: Final = re.compile(r"#tb 0: (\d+)/(\d+)")
_PACKET: Final = re.compile(r"^0, *(-?\d+), *(-?\d+),", re.MULTILINE)
_NO_TIME: Final = -(2**63)
_FINE: Final = 8  # ticks a frame from which one more or less is rounding, and no frame that lasts longer
_FASTEST: Final = 240  # Hz; a higher rate of an unsteady film is only that of its clock
_PRINTED = Fraction(1, 100)  # of a second: to which ffmpeg prints times


@dataclass(frozen=True)
class Film:
    """What `probe` found in a film file.

    Attributes
    ----------
    size : tuple of int
        Frame size ``(x, y)``, rows first, turned upright and with square pixels.
    coded_size : tuple of int
        Size of the frames that are decoded, upright as well, with pixels as the film has them.
    rate : Fraction
        Frames per second.
    n_frames : int
        Frames the file really holds, counted without decoding them. Where they do not follow
        at equal times, an estimate of how often one is shown at `rate`.
    is_steady : bool
        Whether frames follow at equal times.
    can_jump : bool
        Whether decoding may begin in the middle and still meet the frame wanted exactly.
    complaint : str
        What ffmpeg found wrong with the file; empty for a healthy one.
    """

    size: tuple[int, int]
    coded_size: tuple[int, int]
    rate: Fraction
    n_frames: int
    is_steady: bool
    can_jump: bool
    complaint: str


def probe(path: Path) -> Film:
    """Look into a film: count its frames without decoding them, and decode the first for its true size.

    Raises
    ------
    VideoError
        If not a single frame can be decoded.
    """
    with tempfile.TemporaryDirectory(prefix="convis-") as folder:
        packets = Path(folder) / "packets"
        look = ("-hide_banner", "-nostdin", "-v", "level+info", "-i", f"file:{path}")
        result = subprocess.run(
            [program(), *look, *_COUNTED, f"file:{packets}", *_FIRST],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        listed = packets.read_text(encoding="ascii", errors="replace") if packets.exists() else ""
    report = result.stderr.decode(errors="replace")
    complaints = [without_address(line) for line in _COMPLAINT.findall(report)]
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s", result.stdout)
    timing = film_timing(report, listed)
    if header is None or timing is None:
        if "Video:" not in report and re.search(r"Stream #0:\d", report):
            raise VideoError(f"{path} holds no picture, only other tracks.", "Choose a file with a video track.")
        cause = complaints[0] if complaints else "there is no frame in it"
        raise VideoError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as a video: {cause}.",
            "Try it in a video player; if it does not play there, it is broken, cut short or not a video.",
        )
    complaints += _riff_complaint(path)
    rate, n_frames, is_steady = timing
    coded_size = int(header[2]), int(header[1])
    return Film(
        size=_square(coded_size, report),
        coded_size=coded_size,
        rate=rate,
        n_frames=n_frames,
        is_steady=is_steady,
        can_jump=is_steady and _INDEXED.search(report) is not None,
        complaint=complaints[0] if complaints else "",
    )


def film_timing(report: str, listed: str = "") -> tuple[Fraction, int, bool] | None:
    """Read rate, number of frames and steadiness out of what ffmpeg reports; None if it saw no frames.

    ffmpeg reports an average rate (fps), the rate of the clock all times fit (tbr), how many
    packets there are and the time of the last. Where these agree, frames follow at equal times. Rates are
    printed with two decimals: what those cannot tell, the times of the packets `listed` do.
    """
    progress, rates = _PROGRESS.findall(report), _RATES.search(report)
    if rates is None or not progress or not int(progress[-1][0]):
        return None
    count, *time = progress[-1]
    packets, clock = int(count), film_rate(rates[2])
    average = film_rate(rates[1] or rates[2])
    last = _seconds(*time) if time[0] else Fraction(0)
    if last * average < packets / 10:  # a bare stream, whose packets carry no times
        return average, packets, False
    is_steady = average == clock and abs(last - packets / clock) <= 5 / clock + last / 50 + _PRINTED
    if is_steady and clock.denominator in (1, 1001):
        return clock, packets, True
    even = even_rate(listed, average)
    if even is not None and even <= _FASTEST:
        return even, packets, True
    if is_steady:
        return clock, packets, True
    measured = (packets / max(last, 1 / clock)).limit_denominator(1000)
    rate = next((r for r in (clock, average, measured) if r <= _FASTEST), clock)
    # The time of the last packet lacks those that come earlier but are shown later.
    duration = _DURATION.search(report)
    longest = last + 3 / rate
    return rate, math.ceil(min(longest, _seconds(*duration.groups()) if duration else longest) * rate), False


def even_rate(listed: str, printed: Fraction) -> Fraction | None:
    """Read the rate of frames that follow at equal times out of a list of packets (ffmpeg's framecrc); None if not.

    Times are whole ticks of the file's clock. What their rounding leaves open, a simple fraction or the rate that
    ffmpeg printed decides.

    Examples
    --------
    >>> even_rate("#tb 0: 1/1000\\n0, 0, 0, 3\\n0, 30, 30, 3\\n0, 61, 61, 3\\n0, 91, 91, 3", Fraction("32.97"))
    Fraction(33, 1)
    """
    tick, rows = _TICK.search(listed), _PACKET.findall(listed)
    if tick is None or len(rows) < 2:
        return None
    decoded, shown = zip(*((int(a), int(b)) for a, b in rows), strict=True)
    ticks = sorted(decoded if _NO_TIME in shown else shown)
    step = Fraction(ticks[-1] - ticks[0], len(ticks) - 1)
    rounding = min(2, int(step / _FINE))  # 2 where times were rounded twice, on their way through two files
    if step <= 0 or any(abs(t - ticks[0] - k * step) > rounding for k, t in enumerate(ticks)):
        return None
    second = Fraction(int(tick[2]), int(tick[1]))
    if not rounding:
        return second / step
    rate, slack = second / step, Fraction(rounding, len(ticks) - 1)
    guesses = rate.limit_denominator(3), printed, rate.limit_denominator(100), rate.limit_denominator(10**4), rate
    return next(r for r in guesses if second / (step + slack) <= r <= second / (step - slack))


def _square(coded_size: tuple[int, int], report: str) -> tuple[int, int]:
    """Size of a frame whose pixels are made square by widening it, or narrowing it, as players do."""
    found = _PIXEL.search(report)  # of the picture decoded, for a turned film's pixels are turned, too
    width, height = (int(found[1]), int(found[2])) if found else (1, 1)
    if not (width and height) or abs(width / height - 1) <= _NEARLY_SQUARE:
        return coded_size
    return coded_size[0], max(1, round(coded_size[1] * width / height))


def film_rate(printed: str) -> Fraction:
    """Turn a rate printed with two decimals into the exact one: 29.97 is 30000/1001.

    Examples
    --------
    >>> film_rate("29.97"), film_rate("25"), film_rate("1k")
    (Fraction(30000, 1001), Fraction(25, 1), Fraction(1000, 1))
    """
    rate = Fraction(printed.rstrip("k")) * (1000 if printed.endswith("k") else 1)
    broadcast = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    if rate.denominator != 1 and broadcast and abs(broadcast - rate) <= Fraction(5, 1000):
        return broadcast
    return rate


def _riff_complaint(path: Path) -> list[str]:
    """Say that an AVI file lacks bytes its header announces, for ffmpeg does not."""
    with path.open("rb") as file:
        head = file.read(12)
    announced, size = 8 + int.from_bytes(head[4:8], "little"), path.stat().st_size
    if head[:4] != b"RIFF" or head[8:] != b"AVI " or announced <= size:
        return []
    return [f"it announces {announced} bytes and has {size}"]


def _seconds(hours: str, minutes: str, seconds: str) -> Fraction:
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
