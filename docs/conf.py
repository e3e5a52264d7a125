"""The documentation as a site: `make docs`. Everything it needs is here; no page loads anything from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import tomllib

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

project = "convis-widgets"
author = "convis-widgets developers"
copyright = author
version = release = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "convis_docs.extension"]
exclude_patterns = ["convis_docs"]
root_doc = "index"
default_role = "py:obj"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_param = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"convis-widgets {release}"
html_logo = "static/logo.svg"
html_favicon = html_logo
html_static_path = ["static"]
html_css_files = ["convis.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
pygments_style, pygments_dark_style = "friendly", "github-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1664a8", "color-brand-content": "#1664a8"},
    "dark_css_variables": {"color-brand-primary": "#6fb3ea", "color-brand-content": "#6fb3ea"},
}
