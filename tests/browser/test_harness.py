"""The harness itself: widgets not ours, in JupyterLab, change pixels when they should and only then."""

from __future__ import annotations

import numpy as np

from tests.browser.pages import LabPage, changed_fraction, pixels, wait_until_changed, wait_until_still

SLIDER_AND_LINE = """
import bqplot, ipywidgets, numpy as np
x = np.linspace(0, 1, 50)
scales = dict(x=bqplot.LinearScale(min=0, max=1), y=bqplot.LinearScale(min=0, max=1))
line = bqplot.Lines(x=x, y=x, scales=scales)
slider = ipywidgets.FloatSlider(value=1.0, min=0.0, max=5.0, step=0.5, description="power")
slider.observe(lambda change: setattr(line, "y", x ** change.new), "value")
ipywidgets.VBox([slider, bqplot.Figure(marks=[line], animation_duration=0)])
"""


def test_a_slider_moves_a_line(lab: LabPage) -> None:
    lab.open(SLIDER_AND_LINE)
    lab.run_all()
    figure = lab.widget(".bqplot")
    before = wait_until_still(figure)
    assert changed_fraction(before, pixels(figure)) == 0.0
    lab.page.locator(".noUi-handle").focus()
    lab.page.keyboard.press("ArrowRight")
    after = wait_until_changed(figure, before)
    assert changed_fraction(before, after) < 0.5
    assert lab.errors == []


def test_a_dark_page_is_darker(lab: LabPage) -> None:
    lab.open("print('hello')")
    means = {}
    for theme in ("light", "dark"):
        lab.set_theme(theme)
        means[theme] = float(np.mean(pixels(lab.page)))
    lab.set_theme("light")  # the server remembers it for the pages of the other tests
    assert means["light"] > 200 > 100 > means["dark"]
