"""What a test does to a page: open a notebook, run it, switch the theme, read pixels."""

from __future__ import annotations

import ast
import io
import time
from collections.abc import Callable, Mapping
from typing import Any

import imageio.v3 as iio
import nbformat
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

from tests.browser.servers import Server

Pixels = NDArray[np.uint8]


def pixels(target: Locator | Page) -> Pixels:
    """What is on the screen there, [row, column, rgb]."""
    return np.asarray(iio.imread(io.BytesIO(target.screenshot()), extension=".png")[..., :3])


def changed_fraction(before: Pixels, after: Pixels) -> float:
    """Share of the pixels that differ visibly; all of them if the size differs."""
    if before.shape != after.shape:
        return 1.0
    return float((np.abs(before.astype(int) - after).max(axis=-1) > 16).mean())


def coloured_fraction(seen: Pixels) -> float:
    """Share of the pixels that are neither black, white nor grey."""
    return float((seen.max(axis=-1).astype(int) - seen.min(axis=-1) > 60).mean())


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    """Look again and again until the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s in vain: {what}"
        time.sleep(0.05)


def wait_until_changed(target: Locator, before: Pixels, fraction: float = 0.001, timeout_s: float = 30.0) -> Pixels:
    """Wait until at least this fraction of the target's pixels differs from ``before``; return the new ones."""
    seen = [before]

    def changed() -> bool:
        seen[0] = pixels(target)
        return changed_fraction(before, seen[0]) >= fraction

    wait_until(changed, f"{fraction:.2%} of the pixels change", timeout_s)
    return seen[0]


def wait_until_still(target: Locator, timeout_s: float = 30.0) -> Pixels:
    """Wait until two looks a quarter of a second apart show the same; return what they show."""
    seen = [pixels(target)]

    def still() -> bool:
        time.sleep(0.25)
        before, seen[0] = seen[0], pixels(target)
        return changed_fraction(before, seen[0]) == 0.0

    wait_until(still, "the pixels stay the same", timeout_s)
    return seen[0]


class LabPage:
    """A notebook open in JupyterLab, one document filling the window."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        self.name = ""
        self.patience_s = 120.0
        """How long a kernel may take to start, and a command to end."""
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, *cells: str, name: str = "test.ipynb", kernel: str = "python3") -> None:
        """Write a notebook of these code cells and show it."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        nbformat.write(notebook, self.server.folder / name)
        self.show(name)

    def show(self, name: str, place: str = "doc/tree") -> None:
        """Show a notebook that is in the server's folder, and wait for its kernel; ``notebooks`` is Notebook 7."""
        self.name = name
        self.page.goto(self.server.address(f"{place}/{name}"))
        self._wait_for_kernel()

    def close(self) -> None:
        """End the kernel."""
        self.server.stop_session(self.name)

    def reload(self) -> None:
        """Load the page anew, as a user does; the kernel goes on."""
        self.page.reload()
        self._wait_for_kernel()

    def _wait_for_kernel(self) -> None:
        # not the indicator on the page: that says "idle" before there is a kernel
        idle = """() => {
            const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
            return context?.isReady && context.session?.kernel?.status === "idle";
        }"""
        self.page.wait_for_function(idle, timeout=1000 * self.patience_s)

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's own commands and wait for it; a command that does not end fails."""
        execute = """([name, args, patience]) => {
            const endless = new Error(`${name} does not end`);
            const timeUp = new Promise((_, fail) => setTimeout(fail, patience, endless));
            return Promise.race([window.jupyterapp.commands.execute(name, args), timeUp]);
        }"""
        self.page.evaluate(execute, [name, arguments, 1000 * self.patience_s])

    def run_all(self) -> None:
        """Run every cell to the end; a cell that raises fails the test with its traceback."""
        self.command("notebook:run-all-cells")
        self._check()

    def run_cell(self, index: int) -> None:
        """Run one cell to the end."""
        self.page.evaluate("index => { jupyterapp.shell.currentWidget.content.activeCellIndex = index; }", index)
        self.command("notebook:run-cell")
        self._check()

    def value(self, expression: str) -> Any:
        """What a Python expression is in the kernel, as far as its repr can be read."""
        execute = """async (expression) => {
            const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const request = kernel.requestExecute({
                code: "", store_history: false, user_expressions: { it: `repr((${expression}))` },
            });
            return (await request.done).content.user_expressions.it;
        }"""
        answer: Mapping[str, Any] = self.page.evaluate(execute, expression)
        assert answer["status"] == "ok", answer
        return ast.literal_eval(ast.literal_eval(answer["data"]["text/plain"]))

    def _check(self) -> None:
        failure = self.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']")
        for text in failure.all_inner_texts():
            assert "Traceback" not in text, text
        self.command("docmanager:save")

    def set_theme(self, theme: str) -> None:
        """Switch to "light" or "dark"."""
        self.command("apputils:change-theme", theme=f"JupyterLab {theme.capitalize()}")
        light = str(theme == "light").lower()
        self.page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{light}'")

    def widget(self, selector: str, timeout_s: float = 30.0) -> Locator:
        """The first element of an output that matches, once it is visible."""
        found = self.page.locator(f".jp-OutputArea-output {selector}").first
        found.wait_for(state="visible", timeout=timeout_s * 1000)
        return found
