"""The Sphinx extension: pages are written before the build, tables while it reads the docstrings."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.inspect import stringify_signature
from sphinx.util.nodes import make_refnode

from convis_core import Layer
from convis_core.parameters import Declaration
from convis_core.state import StateVariable
from convis_docs import guide, mathml
from convis_docs.made import write_pages
from convis_docs.parameter_table import parameter_table, state_table
from convis_docs.reference import reference

BELOW = re.compile(r"\.\. rubric:: (Examples|References|Notes)")


def make_pages(app: Sphinx) -> None:
    """Make the pages that nobody writes."""
    folder = Path(app.srcdir)
    write_pages(folder / "made", reference() | guide.written(folder.parent))


def add_tables(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Set the tables of a layer between what it is and its examples."""
    if what == "class" and issubclass(value, Layer) and not inspect.isabstract(value) and value is not Layer:
        at = next((k for k, line in enumerate(lines) if BELOW.match(line)), len(lines))
        lines[at:at] = ["", *parameter_table(value), *state_table(value)]


class Attributes:
    """Keep "Whether: so" in the text of an attribute from being taken for a type and its description."""

    def __init__(self) -> None:
        self.said: dict[str, list[str]] = {}

    def keep(self, app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
        if what in ("attribute", "data", "property"):
            self.said[name] = [*lines]

    def restore(self, app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
        lines[:] = self.said.pop(name, lines)


def skip_declared(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what stands in the tables, and fields of named tuples, which the class describes."""
    is_field = (inspect.getdoc(value) or "").startswith("Alias for field number")
    return True if is_field or isinstance(value, (Declaration, StateVariable)) else None


def sign_by_constructor(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, None] | None:
    """Show what a widget takes: the class that traitlets makes says ``*args, **kwargs`` of every one."""
    if what != "class" or "__init__" not in vars(value) or not hasattr(value, "class_traits"):
        return None
    whole = inspect.signature(value.__init__)
    own = whole.replace(parameters=[*whole.parameters.values()][1:], return_annotation=whole.empty)
    return stringify_signature(own, unqualified_typehints=True), None


def find_by_last_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Resolve ``Layer`` or ``convis_core.layer.Layer`` where one documented name ends so.

    A bare word is no member of some class: `m` may be a variable of an equation.
    """
    if node["refdomain"] != "py":
        return None
    owner, _, last = node["reftarget"].rpartition(".")
    kinds = {"class", "data", "exception", "function"} | ({"attribute", "method", "property"} if owner else set())
    objects = env.domains.python_domain.objects
    found = {o.node_id: o for full, o in objects.items() if full.rpartition(".")[2] == last and o.objtype in kinds}
    if len(found) != 1:
        return None
    (target,) = found.values()
    return make_refnode(app.builder, node["refdoc"], target.docname, target.node_id, content, last)


def fold_navigation(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Open the sidebar at this page only: some hundred names on each would be long to read and to build."""
    if "toctree" in context:
        whole = context["toctree"]
        context["toctree"] = lambda **options: whole(**(options | {"collapse": True}))


def setup(app: Sphinx) -> dict[str, bool]:
    mathml.setup(app)
    app.connect("builder-inited", make_pages)
    attributes = Attributes()
    app.connect("autodoc-process-docstring", attributes.keep, priority=100)  # before napoleon
    app.connect("autodoc-process-docstring", attributes.restore, priority=900)  # after it
    app.connect("autodoc-process-docstring", add_tables, priority=900)
    app.connect("autodoc-process-signature", sign_by_constructor)
    app.connect("autodoc-skip-member", skip_declared)
    app.connect("html-page-context", fold_navigation, priority=100)
    app.connect("missing-reference", find_by_last_name)
    guide.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
