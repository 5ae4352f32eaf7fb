"""How the documentation is built: `make docs` makes every warning an error.

Nothing is recorded here: pages include what `docs/tools/record.py` has kept in `docs/runs` and `docs/_static`.
What the reference says of settings, camera files and errors is written anew from the code at every build.
"""

import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "tools"))

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
exclude_patterns = ["_build", "runs", "tools", "**/generated"]

html_theme = "furo"
html_title = f"fiducial {version}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sourcelink = False

# Copied commands have no prompt, and no output.
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
copybutton_line_continuation_character = "\\"

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


def setup(app: Any) -> None:
    """Write the generated parts of the reference before pages are read."""
    import generate
    from lexer import TranscriptLexer

    app.add_lexer("transcript", TranscriptLexer)
    app.connect("builder-inited", lambda _: generate.write_all(HERE / "reference" / "generated"))
