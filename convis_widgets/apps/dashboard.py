"""The frame of a dashboard: bar on top, panel at the side, cards on a grid of twelve columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipywidgets import Box, HBox, VBox, Widget

from convis_core import Layer
from convis_core.errors import ConvisError
from convis_widgets.apps.one_per_cell import take_the_place
from convis_widgets.live.cursor import Cursor
from convis_widgets.live.hub import Hub
from convis_widgets.views.kernel import KernelData
from convis_widgets.views.mosaic import FilterMosaic

__all__ = ["Dashboard", "show_tiles"]


class Dashboard(VBox):
    """Arranges controls and views, which share one hub and one cursor.

    Running its cell again closes it, for the next one takes its place.

    Parameters
    ----------
    hub, cursor
        Shared by everything on it.
    bar, side : sequence of Widget
        What stands on top and at the side.
    cards : sequence of (Widget, int)
        Views and how many of the twelve columns each takes, row by row.
    """

    def __init__(
        self,
        hub: Hub,
        cursor: Cursor,
        bar: Sequence[Widget],
        side: Sequence[Widget],
        cards: Sequence[tuple[Widget, int]],
    ) -> None:
        self.hub, self.cursor = hub, cursor
        grid = Box([card for card, _ in cards])
        for card, span in cards:
            card.add_class("convis-card")
            card.add_class(f"convis-span-{span}")
        top, left = HBox(list(bar)), VBox(list(side))
        for box, name in ((top, "convis-bar"), (left, "convis-side"), (grid, "convis-grid")):
            box.add_class(name)
        super().__init__([top, left, grid])
        self.add_class("convis-dashboard")
        take_the_place(self)

    def __repr__(self) -> str:
        """Say it for those who see a saved notebook where no widget can be shown: on a code host, or printed."""
        model = getattr(self, "model", None)
        return f"{type(self).__name__} of {type(model).__name__}. Run this cell to see it."

    def close(self) -> None:
        """Take the dashboard and all that stands on it off the page, and end its threads.

        A part that stayed would refer to the hub that is gone, and a page that is loaded again asks for it in vain.
        """
        if (hub := getattr(self, "hub", None)) is not None:
            hub.close()
        for part in _within(self):
            part.close()
        super().close()


def show_tiles(model: Layer, mosaic: FilterMosaic) -> KernelData | None:
    """Show the filter of a model in a mosaic and return it; the title says it where a model has none."""
    try:
        data = KernelData.of(model)
    except ConvisError as error:
        mosaic.title = f"Filter: {error.message}"
        return None
    mosaic.show(data)
    return data


def _within(box: Widget) -> Iterator[Widget]:
    """Whatever stands on a box, and on the boxes on it."""
    for part in getattr(box, "children", ()):
        yield from _within(part)
        yield part
