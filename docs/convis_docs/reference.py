"""The pages of the reference: one for every public name, one for every module that lists them."""

from __future__ import annotations

import inspect
import sys

from sphinx.pycode import ModuleAnalyzer

from convis_core import registered_layers
from convis_docs.parameter_table import table, virtual_retina_keys
from convis_docs.public import Entry, Namespace, namespaces

__all__ = ["contents", "reference"]

SILENT = "No documentation."


def contents() -> list[str]:
    """Entries of the navigation: an overview, then every module."""
    titles = {space.name: space.name.removeprefix("convis_core.") for space in namespaces()}
    modules = [f"{title} <made/api/{name}>" for name, title in titles.items()]
    return ["Overview <made/api/index>", *modules, "made/api/virtual_retina_keys"]


def reference() -> dict[str, str]:
    """Text of every page by its name."""
    found = namespaces()
    made = {"index": _index(found), "virtual_retina_keys": _keys(found)}
    for namespace in found:
        made[namespace.name] = _namespace(namespace)
        made |= {entry.path: _entry(entry) for entry in namespace.entries if not entry.is_alias}
    return {f"api/{name}.rst": text for name, text in made.items()}


def _heading(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"


def _contents(titles: dict[str, str]) -> list[str]:
    return [".. toctree::", "   :hidden:", "", *(f"   {title} <{page}>" for page, title in titles.items()), ""]


def _index(found: list[Namespace]) -> str:
    rows = [
        (f":doc:`{space.name} <{space.name}>`", _summary(inspect.getdoc(space.module) or SILENT)) for space in found
    ]
    keys = "virtual_retina_keys"
    return "\n".join(
        [
            _heading("Reference"),
            "Every public name, with what it does, in which units, and an example that was run.\n",
            *table((), rows, "names"),
            f"Who comes from a file of Virtual Retina finds its attributes :doc:`here <{keys}>`.\n",
        ]
    )


def _namespace(namespace: Namespace) -> str:
    documented = [entry for entry in namespace.entries if not entry.is_alias]
    kinds = {
        "Classes": [e for e in documented if inspect.isclass(e.value)],
        "Functions": [e for e in documented if inspect.isroutine(e.value)],
        "Values": [e for e in documented if not inspect.isclass(e.value) and not inspect.isroutine(e.value)],
    }
    lines = [_heading(namespace.name), f".. module:: {namespace.name}\n", inspect.getdoc(namespace.module) or "", ""]
    for kind, entries in kinds.items():
        if entries:
            rows = [(f":doc:`{e.name} <{e.path}>`", _summary(_said_of(e))) for e in entries]
            lines += [f".. rubric:: {kind}", "", *table((), rows, "names")]
    aliases = [(f"``{e.name}``", f":doc:`{e.home} <{e.home}>`") for e in namespace.entries if e.is_alias]
    if aliases:
        lines += [".. rubric:: Also here", "", *table((), aliases, "names")]
    return "\n".join([*lines, *_contents({entry.path: entry.name for entry in documented})])


def _entry(entry: Entry) -> str:
    lines = [_heading(entry.name), f".. currentmodule:: {entry.namespace}\n"]
    if inspect.isclass(entry.value):
        kind = "autoexception" if issubclass(entry.value, BaseException) else "autoclass"
        lines += [f".. {kind}:: {entry.path}", "   :members:", "   :show-inheritance:", ""]
    elif inspect.isroutine(entry.value):
        lines += [f".. autofunction:: {entry.path}", ""]
    else:
        lines += [f".. py:data:: {entry.name}", f"   :type: {type(entry.value).__name__}", ""]
        lines += [f"   {line}" for line in f"{_said_of(entry)}\n\n``{entry.value!r}``".splitlines()]
    return "\n".join([*lines, ""])


def _said_of(entry: Entry) -> str:
    """Find what is said of a name: by itself, by the property that computes it, or by the string below it."""
    if inspect.isclass(entry.value) or inspect.isroutine(entry.value):
        return inspect.getdoc(entry.value) or SILENT
    computed = getattr(type(entry.module), entry.name, None)
    if computed is not None:
        return inspect.getdoc(computed) or SILENT
    for name, module in sorted(sys.modules.items()):
        if name.startswith("convis_") and vars(module).get(entry.name) is entry.value:
            comments = ModuleAnalyzer.for_module(name).find_attr_docs()
            if ("", entry.name) in comments:
                return "\n".join(comments["", entry.name]).strip()
    return SILENT


def _summary(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _keys(found: list[Namespace]) -> str:
    homes = {id(entry.value): entry.home for space in found for entry in space.entries}
    public = {layer.__name__: homes[id(layer)] for layer in registered_layers() if id(layer) in homes}
    rows = []
    for key, names in virtual_retina_keys(registered_layers()).items():
        places = [(layer, parameter) for layer, _, parameter in (name.partition(".") for name in names)]
        links = [f":doc:`{layer}.{name} <{public[layer]}>`" for layer, name in places if layer in public]
        rows.append((f"``{key}``", ", ".join(links)))
    head = ("In the file", "Parameter")
    return "\n".join([_heading("Keys of Virtual Retina"), *table(head, rows, "keys")])
