"""Streamlit components whose code lies in ``assets/``."""

from typing import Any

import streamlit as st


def asset_component(name: str, folder: str) -> Any:
    """A component whose code is ``assets/<folder>/main.js``, which exports ``render(component)``.

    What Streamlit is given is a stub, as inline code travels with every message: the browser loads
    the modules once, from the server's ``/assets``.
    """
    stub = (
        "export default (component) =>\n"
        f'  import(new URL("assets/{folder}/main.js", document.baseURI))'
        ".then((module) => module.render(component));\n"
    )
    return st.components.v2.component(name, js=stub)
