"""Streamlit components with code in ``assets/``, and figures with text alternatives."""

import re
from html import escape
from string import Template
from typing import Any

import plotly.graph_objects as go
import segno
import streamlit as st

from regviz.server.assets import assets_path
from regviz.server.headers import upload_cookie

# An open page reloads when its component comes from a server with other assets; its address holds
# the whole state. The random delay spreads the reloads of all visitors over three seconds.
STUB = Template("""\
export default async (component) => {
  window.regvizAssets ??= "$path";
  if (window.regvizAssets !== "$path") {
    setTimeout(() => location.reload(), 3000 * Math.random());
    return;
  }
  const { render } = await import(new URL("$path/$folder/main.js", document.baseURI));
  return render(component);
};
""")
PICTURE_FORMATS = ("png", "svg")
ZOOM = ("zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d")  # names of Plotly's buttons


def asset_component(name: str, folder: str) -> Any:
    """Register a component whose module ``assets/<folder>/main.js`` exports ``render(component)``.

    Streamlit sends a component's inline code with every message. So the inline code is a stub that
    imports the module, which the browser caches.
    """
    return st.components.v2.component(name, js=STUB.substitute(path=assets_path(), folder=folder))


def plain(text: str) -> str:
    """Escape all Markdown characters in a text, and collapse its white space."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def file_uploader(label: str, **options: Any) -> Any:
    """Draw `st.file_uploader`, or a message if the browser cannot upload.

    Streamlit accepts an upload only with its cookie. Browsers do not keep it in a frame on another
    site without TLS, or if the visitor has disabled cookies.
    """
    in_browser = bool(st.context.headers)  # False in `AppTest`
    needed = in_browser and st.get_option("server.enableXsrfProtection")
    cookie = upload_cookie()
    if needed and cookie is not None and cookie not in st.context.cookies:
        st.info(
            f"**{label}:** no file can be uploaded, as this browser keeps no cookie of RegViz here."
            " Open RegViz in a tab of its own. In a frame on another site, uploads take HTTPS;"
            " in a tab, cookies must be allowed."
        )
        return None
    return st.file_uploader(label, **options)


def choose_picture_format() -> None:
    """Draw the choice of the format in which the camera of a figure saves it."""
    st.selectbox(
        "Save pictures as",
        PICTURE_FORMATS,
        key="picture_format",
        format_func=str.upper,
        help="The camera of a figure saves this format.",
        width=150,
    )


def draw(figure: go.Figure, key: str, **options: Any) -> Any:
    """Draw a Plotly figure, with its text alternative for screen readers.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        A figure with the text alternative in ``layout.meta["alt"]``.
    key : str
        Key of the chart, and name of the picture that its camera button saves, in the format chosen
        above the views.
    **options
        Further arguments of ``st.plotly_chart``.

    Returns
    -------
    The return value of ``st.plotly_chart``.
    """
    describe(figure)
    return chart(figure, key, **options)


def describe(figure: go.Figure, mark: str = "") -> None:
    """Draw the text alternative of a figure for screen readers.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
    mark : str
        Another HTML class of the text, for the page's CSS.
    """
    alt = (figure.layout.meta or {})["alt"]
    st.html(f'<p class="regviz-alt {mark}" role="note">{escape(alt)}</p>')


def chart(figure: go.Figure, key: str, name: str = "", **options: Any) -> Any:
    """Draw a Plotly figure without its text alternative. Takes and returns what `draw` does.

    Parameters
    ----------
    name : str
        Name of the saved picture instead of the key.
    """
    file = f"regviz-{name or key}"
    saved = {"format": st.session_state.get("picture_format", "png"), "filename": file}
    if saved["format"] == "png":
        saved["scale"] = 2
    still = figure.layout.dragmode is False
    config = {
        "displaylogo": False,
        "toImageButtonOptions": saved,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", *(ZOOM if still else ())],
    }
    return st.plotly_chart(figure, key=key, theme=None, config=config, **options)


def qr_image(text: str) -> str:
    """Return a QR code as an HTML image, dark on white in both themes for phones' readers."""
    code = segno.make(text, error="l", micro=False)
    source = code.svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    return f'<img src="{escape(source)}" alt="QR code of the link" style="width: 15rem">'
