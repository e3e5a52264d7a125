"""How quick the explorer feels: one table of measured times, which no test depends on."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.browser.dashboards import DashboardPage
from tests.browser.pages import LabPage, wait_until

MOVES = 24
SECONDS = 4.0
WATCHERS = "explorer.player.watchers"
SLIDER_TO_PAINT = """async ([label, moves]) => {
    // from an input event of the slider to the first animation frame after the curve was drawn anew
    const root = document.querySelector(".convis-dashboard");
    const row = [...root.querySelectorAll(".convis-row")].find(row => row.innerText.trim().startsWith(label));
    const slider = row.querySelector(".convis-slider");
    const cards = [...root.querySelectorAll(".convis-card")];
    const card = cards.find(card => card.innerText.trim().startsWith("Impulse response"));
    const sleep = ms => new Promise(done => setTimeout(done, ms));
    const painted = () => new Promise(done => {
        const observer = new MutationObserver(() => {
            observer.disconnect();
            const channel = new MessageChannel();
            channel.port1.onmessage = () => done(performance.now());
            requestAnimationFrame(() => channel.port2.postMessage(null));
        });
        observer.observe(card.querySelector(".bqplot"), { attributes: true, subtree: true, attributeFilter: ["d"] });
    });
    const times = [];
    for (let i = 0; i < moves; i++) {
        slider.value = String(400 + 20 * (i % 7) + i);
        const end = painted();
        const start = performance.now();
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        const late = await Promise.race([end, sleep(5000)]);
        if (late !== undefined) times.push(late - start);
        await sleep(150 + 37 * (i % 5));
    }
    return times;
}"""


def moved(lab: LabPage) -> str:
    """Median and worst time from slider to paint, in ms."""
    times = lab.page.evaluate(SLIDER_TO_PAINT, ["tau center", MOVES])
    worst = statistics.quantiles(times, n=10)[-1]
    return f"{statistics.median(times):.0f} ms median, {worst:.0f} ms at the 90th percentile, {len(times)} moves"


def ticks(lab: LabPage) -> tuple[float, float, float]:
    """Dashboard updates per second, and the last round trip and its part in the page in ms."""
    acked, start = lab.value("explorer.hub.stats.acked"), time.monotonic()
    time.sleep(SECONDS)
    rate = (lab.value("explorer.hub.stats.acked") - acked) / (time.monotonic() - start)
    trip, paint = lab.value("explorer.hub.stats.round_trip_ms, explorer.hub.stats.paint_ms")
    return rate, trip, paint


def frames_per_second(lab: LabPage) -> float:
    """Speed of the run in the kernel, without a limit."""
    reached, start = lab.value("explorer.player._progress[-1][1], __import__('time').monotonic()")
    time.sleep(SECONDS)
    later, end = lab.value("explorer.player._progress[-1][1], __import__('time').monotonic()")
    return float((later - reached) / (end - start))


@pytest.mark.slow
def test_latency(explorer: DashboardPage, explorer_lab: LabPage, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("slider to painted impulse response, at rest", moved(explorer_lab))]
    explorer.root.get_by_label("Speed limit").select_option("1")
    explorer.play()
    wait_until(lambda: explorer.position > 0.5, "it runs", 30)
    rate, trip, paint = ticks(explorer_lab)
    rows.append(("dashboard updates at 1x real time", f"{rate:.1f} /s; round trip {trip:.0f} ms, page {paint:.0f} ms"))
    rows.append(("slider to painted impulse response, playing", moved(explorer_lab)))
    explorer.root.get_by_label("Speed limit").select_option("max speed")
    with_views = frames_per_second(explorer_lab)
    explorer_lab.value(
        "explorer.__dict__.update(kept=list(explorer.player.watchers)) or explorer.player.watchers.clear()"
    )
    without = frames_per_second(explorer_lab)
    explorer_lab.value(f"{WATCHERS}.extend(explorer.kept)")
    explorer.stop()
    slower = f"{with_views:.0f} frames/s with, {without:.0f} without the views: {1 - with_views / without:.0%} slower"
    rows.append(("the run without a speed limit", slower))
    with capsys.disabled():
        print("\n" + "\n".join(f"  {name:<45} {value}" for name, value in rows))
    assert int(rows[0][1].split()[-2]) > MOVES // 2
