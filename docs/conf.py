"""How the documentation is built: `make docs`, warnings as errors, no network."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "bayesmed"
author = "The bayesmed contributors"
project_copyright = author
release = metadata.version("bayesmed")
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "generated_pages",
    "mathml",
    "names",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]

# Notebooks hold their outputs; `make notebooks` runs them.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3

default_role = "name"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# Every name a sentence links to is there. Types of signatures are of other packages, or aliases.
nitpicky = True
nitpick_ignore_regex = [("py:class", ".*")]

# Attributes of several classes have one name; where that matters, links are written in full.
suppress_warnings = ["ref.python"]

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "bayesmed"
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    # Wide tables need the room.
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        "assumptions": [],
        "calibration": [],
        "checks": [],
        "reference/checks": [],
    },
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_copy_source = False
html_show_sourcelink = False
