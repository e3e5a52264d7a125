"""A configuration as Virtual Retina writes it: XML, read without entities, network or expansion."""

from __future__ import annotations

import os
from typing import Any, Final

from lxml import etree

from convis_core.errors import FileFormatError
from convis_core.files import atomic_path, user_path
from convis_core.retina.configuration.checking import Tree, complete
from convis_core.retina.configuration.schema import RETINA, SACCADES, Element
from convis_core.warn import warn

__all__ = ["read_xml", "write_xml"]

_ROOT: Final = "retina-description-file"
_OVERWRITTEN: Final = ("temporal-step__sec", "pixels-per-degree")
"""Attributes of the saccades that files have and that those of the retina stand for."""


def read_xml(path: str | os.PathLike[str]) -> Tree:
    """Read and complete what a file says. Unknown elements and attributes give a warning.

    Raises
    ------
    FileFormatError
        If the file is missing, no XML, has a document type, or has no retina.
    ParameterError
        If a value is no number, missing or out of range; the message names file and line.
    """
    root, file = _parse(path), os.fspath(path)
    retinas = root.findall("retina")
    if len(retinas) != 1:
        raise FileFormatError(
            f"{file}: expected one <retina> inside <{root.tag}>, found {len(retinas)}.",
            "Is it a Virtual Retina configuration?",
        )
    for node in root:
        if node.tag == SACCADES:
            for name in _OVERWRITTEN:
                node.attrib.pop(name, None)
            retinas[0].append(node)  # it stands beside the retina in a file, and in it in a configuration
        elif node.tag != "retina":
            _report(f"{file}, line {node.sourceline}: <{root.tag}>", f"<{node.tag}>", ("retina", SACCADES))
    return _read(retinas[0], RETINA, file)


def _parse(path: str | os.PathLike[str]) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        with user_path(path).open("rb") as file:
            document = etree.parse(file, parser)
    except OSError as error:
        raise FileFormatError(f"The configuration {os.fspath(path)!r} cannot be read: {error.strerror}.") from error
    except etree.XMLSyntaxError as error:
        raise FileFormatError(f"{os.fspath(path)} is no well-formed XML: {error.msg}.") from error
    if document.docinfo.internalDTD is not None:  # what declares entities
        raise FileFormatError(
            f"{os.fspath(path)} declares a document type, which a retina does not need.", "Remove its <!DOCTYPE ...>."
        )
    return document.getroot()


def _read(node: Any, element: Element, file: str) -> Tree:
    where = f"{file}, line {node.sourceline}: <{node.tag}>"
    tags = {listed.tag: name for name, listed in element.lists.items() if not listed.is_wrapped}
    known = (*element.attributes, *element.children, *tags, *(n for n in element.lists if n not in tags.values()))
    tree: Tree = {}
    for name, value in node.attrib.items():
        if name in element.attributes:
            tree[name] = value
        else:
            _report(where, f"the attribute {name}={value!r}", known)
    for child in node:
        if child.tag in tags:
            name = tags[child.tag]
            tree.setdefault(name, []).append(_read(child, element.lists[name].element, file))
        elif child.tag not in (*element.children, *element.lists):
            _report(where, f"<{child.tag}>", known)
        elif child.tag in tree:
            raise FileFormatError(f"{where} has a second <{child.tag}> in line {child.sourceline}.", "Remove one.")
        elif child.tag in element.children:
            tree[child.tag] = _read(child, element.children[child.tag], file)
        else:
            tree[child.tag] = _read_list(child, element, file)
    return complete(tree, element, where)


def _read_list(node: Any, parent: Element, file: str) -> list[Tree]:
    listed = parent.lists[node.tag]
    items = []
    for child in node:
        if child.tag == listed.tag:
            items.append(_read(child, listed.element, file))
        else:
            _report(f"{file}, line {child.sourceline}: <{node.tag}>", f"<{child.tag}>", (listed.tag,))
    return items


def _report(where: str, what: str, known: tuple[str, ...]) -> None:
    warn(f"{where} has {what}, which is unknown and left out. It can have: {', '.join(known)}.")


def write_xml(tree: Tree, path: str | os.PathLike[str]) -> None:
    """Write a configuration with all its values, atomically."""
    root = etree.Element(_ROOT)
    inside = {name: value for name, value in tree.items() if name != SACCADES}
    if SACCADES in tree:
        _write(root, SACCADES, tree[SACCADES], RETINA.children[SACCADES])
    _write(root, "retina", inside, RETINA)
    document = etree.ElementTree(root)
    with atomic_path(path) as draft, draft.open("wb") as file:
        document.write(file, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def _write(parent: Any, tag: str, tree: Tree, element: Element) -> None:
    node = etree.SubElement(parent, tag)
    for name in element.attributes:
        if name in tree:
            node.set(name, repr(tree[name]).removesuffix(".0"))
    for name, child in element.children.items():
        if name in tree:
            _write(node, name, tree[name], child)
    for name, listed in element.lists.items():
        around = etree.SubElement(node, name) if listed.is_wrapped and tree[name] else node
        for item in tree[name]:
            _write(around, listed.tag, item, listed.element)
