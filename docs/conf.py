"""Configuration of Sphinx, which `make docs` runs in the folder of the project."""

from docutils import nodes
from latex2mathml.converter import convert
from numpydoc.xref import DEFAULT_LINKS

import regviz

project = "RegViz"
author = "the RegViz authors"
copyright = f"{author}, MIT License"
version = release = regviz.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]

# Markdown: the pages also have to read well where the repository is hosted
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3  # anchors of headings, for links such as `hosting.md#one-container`

smartquotes = False  # quotation marks of types and values are copied
# docstrings: `name` links to a name of the reference, if it is there
default_role = "py:obj"
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # the tables of parameters have the types
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autosummary_generate = False
numpydoc_show_class_members = False  # autodoc's option `members` documents them
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = True  # types link to the classes of the reference, and to nothing else
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {word: word for word in DEFAULT_LINKS} | {
    name.rpartition(".")[2]: f"regviz.{name}"
    for name in (
        *(name for name in regviz.__all__ if name[0].isupper()),
        *("analysis.anatomy.Step", "analysis.comparison.Comparison"),
        *("analysis.comparison.Replicates", "analysis.mc_dropout.Plane"),
        *("analysis.mc_dropout.Uncertainty", "analysis.penalties.LeastSquares"),
        *("analysis.regularization_path.Choice", "analysis.regularization_path.Path"),
        *("notebook.widget.BoardWidget", "programs.Program", "scenes.strength_grid.StrengthGrid"),
    )
}

html_theme = "pydata_sphinx_theme"
html_title = "RegViz"
html_math_renderer = "mathml"
html_logo = html_favicon = "../assets/logo.svg"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["regviz.css"]
html_js_files = ["search.js"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
html_permalinks_icon = "#"
html_sidebars = {"index": []}
html_theme_options = {
    "logo": {"text": "RegViz"},
    "navbar_align": "left",
    "navbar_start": ["navbar-logo", "site"],  # the latter is empty but in the site (`regviz.site`)
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


def in_package(app, env, node, content):
    """Resolve a name such as `History` or `train` of a docstring in another module than regviz."""
    name = node.get("reftarget", "")
    if node.get("refdomain") != "py" or name.startswith("regviz."):
        return None
    domain, page = env.domains.python_domain, node["refdoc"]
    return domain.resolve_xref(env, page, app.builder, "obj", f"regviz.{name}", node, content)


def formula(visitor, node):
    """Write a formula as MathML, which browsers draw without a script."""
    if isinstance(node, nodes.math_block):  # in a frame that scrolls where the formula is too wide
        drawn = convert(node.astext(), display="block")
        markup = f'<div class="formula" tabindex="0">{drawn}</div>'
    else:
        markup = convert(node.astext())
    visitor.body.append(markup)
    raise nodes.SkipNode


def remove_source_maps(app, exception):
    """Remove the theme's source maps, 2 of 5 MB, which only its developers need."""
    for path in app.outdir.rglob("*.map"):
        path.unlink()


def setup(app):
    """Connect the functions above; called by Sphinx."""
    app.connect("build-finished", remove_source_maps)
    app.connect("missing-reference", in_package)
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))
