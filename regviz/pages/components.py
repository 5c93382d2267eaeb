"""Streamlit components whose code lies in ``assets/``, and figures with their text alternative."""

import re
from html import escape
from string import Template
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from regviz.server.assets import assets_path

# Where a later version of the server goes on with a page that is open, the page is loaded anew, as
# all that was chosen is in its address; but not by all visitors at the same instant.
STUB = Template("""\
export default async (component) => {
  window.regvizPlace ??= "$place";
  if (window.regvizPlace !== "$place") {
    setTimeout(() => location.reload(), 3000 * Math.random());
    return;
  }
  const { render } = await import(new URL("$place/$folder/main.js", document.baseURI));
  return render(component);
};
""")
UPLOAD_COOKIE = "_streamlit_xsrf"  # without which Streamlit takes no uploads
PICTURE_FORMATS = ("png", "svg")
ZOOM = ("zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d")  # Plotly's buttons


def asset_component(name: str, folder: str) -> Any:
    """A component whose code is ``assets/<folder>/main.js``, which exports ``render(component)``.

    What Streamlit is given is a stub, as inline code travels with every message: the browser loads
    the modules once, from the server.
    """
    return st.components.v2.component(name, js=STUB.substitute(place=assets_path(), folder=folder))


def plain(text: str) -> str:
    """Text of a visitor's own, in which Markdown is to see no sign of its own."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def file_uploader(label: str, **options: Any) -> Any:
    """`st.file_uploader`, or, where the browser cannot upload, the reason in its place.

    The server takes files only together with a cookie. Browsers keep none in a frame on another
    site without TLS, and some keep none at all.
    """
    in_browser = bool(st.context.headers)  # a test of the page alone has none
    needed = in_browser and st.get_option("server.enableXsrfProtection")
    if needed and UPLOAD_COOKIE not in st.context.cookies:
        st.info(
            f"**{label}:** no file can be uploaded, as this browser keeps no cookie of RegViz here."
            " Open RegViz in a tab of its own. In a frame on another site, uploads take HTTPS;"
            " in a tab, cookies must be allowed."
        )
        return None
    return st.file_uploader(label, **options)


def draw(figure: go.Figure, key: str, **options: Any) -> Any:
    """Show a Plotly figure in the width there is, and say what it shows to who cannot see it.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        With what it says in ``layout.meta["alt"]``.
    key : str
        Of the chart; also the name of the file that its camera saves, in the format chosen above
        the views.
    **options
        Further arguments of ``st.plotly_chart``.

    Returns
    -------
    What ``st.plotly_chart`` returns.
    """
    saved = {"format": st.session_state.get("picture_format", "png"), "filename": f"regviz-{key}"}
    if saved["format"] == "png":
        saved["scale"] = 2
    still = figure.layout.dragmode is False
    config = {
        "displaylogo": False,
        "toImageButtonOptions": saved,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", *(ZOOM if still else ())],
    }
    alt = (figure.layout.meta or {})["alt"]
    st.html(f'<p class="regviz-alt" role="note">{escape(alt)}</p>')
    return st.plotly_chart(figure, key=key, theme=None, config=config, **options)
