"""How the documentation is built: `make docs` makes every warning an error."""

from importlib.metadata import version as installed

project = "fiducial"
author = "the fiducial developers"
copyright = "2026, the fiducial developers"
version = release = installed("fiducial")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "runs"]

html_theme = "furo"
html_title = "fiducial"
html_static_path = ["_static"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

# The build works offline: references into other projects' pages are not looked up.
intersphinx_mapping = {}
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
