"""Equations as MathML: browsers draw it themselves, without a script or a font from elsewhere."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

SIZES = re.compile(r"\\[bB]igg?[lrm]?(?![a-zA-Z])")
"""Sizes of parentheses, which the translation does not know, nor needs."""

logger = logging.getLogger(__name__)


def mathml(node: nodes.Element, *, block: bool) -> str:
    """Translate the TeX of a node; what cannot be read is a warning, which ends the build."""
    tex = node.astext()
    try:
        return tex2mathml(SIZES.sub("", tex).replace(r"\dots", r"\ldots"), as_block=block)
    except MathError as error:
        logger.warning("this equation cannot be read: %s (%s)", tex, error, location=node)
        return f"<code>{nodes.unescape(tex)}</code>"


def inline(writer: Any, node: nodes.Element) -> None:
    writer.body.append(mathml(node, block=False))
    raise nodes.SkipNode


def display(writer: Any, node: nodes.Element) -> None:
    writer.body.append(f'<div class="equation">{mathml(node, block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(display, None))
