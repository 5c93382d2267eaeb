"""The sidebar's uploads in Streamlit's `AppTest`, and workbooks to upload."""

import io
from dataclasses import fields
from typing import Any

import openpyxl
from streamlit.testing.v1 import AppTest

from regviz.pages.state import PageState
from regviz.spec.points import PointsSpec


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    """Return a workbook of these sheets, each with its title and rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload_script() -> None:
    """Show the uploader; the script of `upload_file`."""
    import streamlit

    from regviz.pages.own_points import upload
    from regviz.pages.state import page_state

    streamlit.session_state["result"] = upload(page_state().own_points)


def open_script(script: Any, **state: Any) -> AppTest:
    """Open a page script with values in its session state."""
    page = AppTest.from_function(script, default_timeout=20)
    known = {field.name for field in fields(PageState)}
    given = {key: value for key, value in state.items() if key in known}
    page.session_state["page"] = PageState(**given)
    for key in state.keys() - known:
        page.session_state[key] = state[key]
    page.run()
    assert not page.exception
    return page


def upload_file(text: str | bytes, name: str = "points.csv", **state: Any) -> AppTest:
    """Open the page and choose a file."""
    page = open_script(upload_script, **state)
    content = text.encode() if isinstance(text, str) else text
    page.file_uploader[0].set_value((name, content, "text/csv")).run()
    assert not page.exception
    return page


def click_use(page: AppTest) -> PointsSpec | None:
    """Click the button below the preview, if there is one, and return the points in use."""
    if page.button and not page.button[-1].disabled:
        page.button[-1].click().run()
    return points_in_use(page) if page.button else None


def points_in_use(page: AppTest) -> PointsSpec | None:
    """Return the points in use."""
    assert not page.exception
    return page.session_state["result"]


def captions(page: AppTest) -> str:
    """Return all captions, without the escapes of Markdown."""
    return " ".join(each.value for each in page.caption).replace("\\", "").replace("  \n", " ")
