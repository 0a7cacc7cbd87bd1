"""How Sphinx builds the site from this folder: `sphinx-build -W -b html docs site`, with warnings as errors.

The pages are plain Markdown that reads on a repository's page as well, so links between them are relative paths to
files. Sphinx checks each of them, with its anchor.
"""

from importlib.metadata import version as _version
from pathlib import Path
from typing import Any

project = "minitok"
author = "The minitok authors"
project_copyright = author
version = release = _version("minitok")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_static"]
# Pages that have their place in the index before they are written.
PAGES_TO_COME = ("datasets",)

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


def without_pages_to_come(_app: Any, page: str, source: list[str]) -> None:
    """Take what is not written yet out of the index."""
    if page == "index":
        missing = [name for name in PAGES_TO_COME if not (Path(__file__).parent / f"{name}.md").exists()]
        source[0] = "\n".join(line for line in source[0].split("\n") if line not in missing)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", without_pages_to_come)
