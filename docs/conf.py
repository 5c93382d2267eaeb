"""Configuration of Sphinx, which `make docs` runs in the folder of the project."""

import regviz

project = "RegViz"
author = "the RegViz authors"
copyright = f"{author}, MIT License"
version = release = regviz.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]

# Markdown: the pages also have to read well where the repository is hosted
myst_heading_anchors = 3  # anchors of headings, for links such as `hosting.md#one-container`

# docstrings: `name` links to a name of the reference, if it is there
default_role = "py:obj"
add_module_names = False
autodoc_typehints = "none"  # the tables of parameters have the types
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False  # autodoc's option `members` documents them
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "RegViz"
html_static_path = ["_static"]
html_css_files = ["regviz.css"]
html_js_files = ["search.js"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
html_permalinks_icon = "#"
html_sidebars = {"index": []}
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "show_nav_level": 1,
    "show_toc_level": 2,
    "back_to_top_button": False,
}
