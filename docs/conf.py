"""How Sphinx builds the site from this folder: `sphinx-build -W -b html docs site`, with warnings as errors.

The pages are plain Markdown that reads on a repository's page as well, so links between them are relative paths to
files. Sphinx checks each of them, with its anchor.
"""

import re
from importlib.metadata import version as _version
from typing import Any

project = "minitok"
author = "The minitok authors"
project_copyright = author
version = release = _version("minitok")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_static"]

myst_heading_anchors = 3

# What stands between single backticks in docstrings is code.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"minitok {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def _without_last_blank_line(app: Any, name: str, source: list[str]) -> None:
    """A blank line ends what a prompt prints, for doctest; on the site it would be an empty line in the box."""
    source[0] = re.sub(r"\n\n```$", "\n```", source[0], flags=re.MULTILINE)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _without_last_blank_line)
