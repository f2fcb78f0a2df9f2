"""Sphinx's settings. scripts/docs runs it, on the pages and on what the headers say."""

import ctypes
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = Path(os.environ["TUILE_SOURCE"])
sys.path[:0] = [str(HERE / "_ext"), str(ROOT / "bindings/python")]

project = "Tuile"
author = "The Tuile authors"
copyright = author
release = version = (ROOT / "VERSION").read_text().strip()
language = "en"

extensions = ["myst_parser", "breathe", "sphinx_copybutton", "sphinx.ext.autodoc", "tuile_pages", "picture"]
exclude_patterns = ["_ext", "_static", "pictures", "tables"]
root_doc = "index"
default_role = "py:obj"
suppress_warnings = ["myst.header"]
highlight_language = "text"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

breathe_projects = {"tuile": os.environ.get("TUILE_XML", "")}
breathe_default_project = "tuile"
breathe_domain_by_extension = {"h": "c", "hpp": "cpp"}

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_mock_imports = ["django", "flask", "starlette", "werkzeug", "flask_session"]
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_preserve_defaults = True
toc_object_entries_show_parents = "hide"

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

html_theme = "furo"
# With the contrast that WCAG asks for.
pygments_style, pygments_dark_style = "xcode", "github-dark"
html_title = f"Tuile {release}"
html_favicon = "_static/tuile.svg"
html_static_path = ["_static"]
html_css_files = ["tuile.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_search_scorer = str(HERE / "_static/scorer.js")
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#a3341f", "color-brand-content": "#a3341f"},
    "dark_css_variables": {"color-brand-primary": "#ff9b82", "color-brand-content": "#ff9b82"},
    "navigation_with_keys": True,
}


class Absent:
    """In place of the library, which reading Python's docstrings does not need: it knows its version alone."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __getattr__(self, name: str) -> object:
        def function(*_: object) -> object:
            major, minor, patch = map(int, release.split("."))
            return {"tuile_version": major << 16 | minor << 8 | patch, "tuile_version_string": release.encode()}.get(name, 0)

        self.__dict__[name] = function
        return function

    def __getitem__(self, name: str) -> object:
        return getattr(self, name)


ctypes.CDLL = Absent  # type: ignore[assignment,misc]
ctypes.PyDLL = Absent  # type: ignore[assignment,misc]
