"""Tests of the patches of Streamlit, and of their absence where Streamlit has changed."""

import importlib
import logging
import threading
from enum import EnumType
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from streamlit import error_util
from streamlit.proto.Common_pb2 import DoubleArray
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState, WStates
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from regviz.server import streamlit_patches
from regviz.server.internals import find_difference
from regviz.server.streamlit_patches import (
    PATCHES,
    apply_patches,
    check_widget_values,
    keep_downloads,
    limit_uploads,
    log_errors_once,
    share_session_lock,
)

ID = "$$ID-0-widget"
PLACES = [(patch, place) for patch in PATCHES for place in patch.TOUCHES]


def name_of(patch: ModuleType) -> str:
    return patch.__name__.rpartition(".")[2]


def take_away(monkeypatch: pytest.MonkeyPatch, place: str, other: Any = None) -> None:
    """Remove an attribute of Streamlit, or replace it."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    outer, _, name = path.rpartition(".")
    kind = outer.removesuffix("()")
    if kind and (kind != outer or isinstance(getattr(owner, kind), EnumType)):
        monkeypatch.setattr(owner, kind, type(kind, (), {}))  # a class without the attribute
        return
    owner = getattr(owner, kind) if kind else owner
    if other is not None:
        monkeypatch.setattr(owner, name, other)
    else:
        monkeypatch.delattr(owner, name)


def test_the_package_documents_every_patch():
    for patch in PATCHES:
        assert f"`{name_of(patch)}`" in (streamlit_patches.__doc__ or "")
        assert "\nFault: " in (patch.__doc__ or "")
        assert "\nFixed when " in (patch.__doc__ or "")


@pytest.mark.parametrize("patch", PATCHES, ids=name_of)
def test_a_patch_fits_the_pinned_streamlit(patch: ModuleType, monkeypatch: pytest.MonkeyPatch):
    applied: list[bool] = []
    monkeypatch.setattr(patch, "apply", lambda: applied.append(True))
    assert apply_patches(patches=[patch]) == [name_of(patch)]
    assert applied == [True]


@pytest.mark.parametrize(
    ("patch", "place"), PLACES, ids=[f"{name_of(p)}-{place}" for p, place in PLACES]
)
def test_a_patch_is_left_out_without_what_it_touches(
    patch: ModuleType, place: str, monkeypatch: pytest.MonkeyPatch, log: Any
):
    monkeypatch.setattr(patch, "apply", lambda: pytest.fail("applied"))
    take_away(monkeypatch, place)
    assert apply_patches(patches=[patch]) == []
    (line,) = log.messages
    assert name_of(patch) in line
    assert place.partition("()")[0] in line


@pytest.mark.parametrize(
    ("patch", "place"), [(patch, place) for patch, place in PLACES if patch.TOUCHES[place]]
)
def test_a_patch_is_left_out_where_parameters_are_others(
    patch: ModuleType, place: str, monkeypatch: pytest.MonkeyPatch, log: Any
):
    monkeypatch.setattr(patch, "apply", lambda: pytest.fail("applied"))
    take_away(monkeypatch, place, lambda self, new: None)
    assert apply_patches(patches=[patch]) == []
    assert log.messages == [
        f"the Streamlit patch {name_of(patch)} is left out: {place} takes self, new"
    ]


def test_the_others_are_applied_where_one_does_not_fit(monkeypatch: pytest.MonkeyPatch):
    for patch in PATCHES:
        monkeypatch.setattr(patch, "apply", lambda: None)
    take_away(monkeypatch, "streamlit.error_util:_log_uncaught_app_exception")
    assert apply_patches() == [name_of(p) for p in PATCHES if p is not log_errors_once]


def test_a_patch_that_fails_is_left_out_and_the_others_are_applied(
    monkeypatch: pytest.MonkeyPatch, log: Any
):
    def fail() -> None:
        raise RuntimeError("out of cheese")

    for patch in PATCHES:
        monkeypatch.setattr(patch, "apply", lambda: None)
    monkeypatch.setattr(limit_uploads, "apply", fail)
    assert apply_patches() == [name_of(p) for p in PATCHES if p is not limit_uploads]
    (line,) = log.messages
    assert line.startswith("the Streamlit patch limit_uploads is left out: ")
    assert "out of cheese" in line


@pytest.mark.parametrize("other", [3, type("Odd", (), {"__signature__": 3})(), dict.pop])
def test_what_has_no_signature_is_a_difference(other: object, monkeypatch: pytest.MonkeyPatch):
    place = "streamlit.error_util:_log_uncaught_app_exception"
    monkeypatch.setattr(error_util, "_log_uncaught_app_exception", other)
    assert find_difference({place: ("error",)}) == f"{place} has no signature"


def test_attributes_of_what_is_no_class_are_a_difference(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(error_util, "_LOGGER", 3)
    place = "streamlit.error_util:_LOGGER().name"
    assert find_difference({place: None}) == f"there is no {place}"


def test_all_of_them_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, log: Any):
    for patch in PATCHES:
        monkeypatch.setattr(patch, "apply", lambda: pytest.fail("applied"))
    assert apply_patches(enabled=False) == []
    assert log.messages == ["all patches of Streamlit are off (REGVIZ_STREAMLIT_PATCHES=0)"]


# --------------------------------------------------------------------- effects


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("double_array_value", {"bool_value": True}),
        ("json_value", {"json_value": "1"}),
        ("json_value", {"json_value": "{"}),
        ("json_value", {"json_value": "[" * 100_000}),
        ("bool_value", {"double_array_value": DoubleArray(data=[1.0])}),
    ],
)
def test_a_value_that_a_widget_cannot_have_is_replaced_by_its_default(
    kind: str, sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(WStates, "__getitem__", WStates.__getitem__)
    check_widget_values.apply()
    states = WStates()
    states.set_widget_metadata(
        WidgetMetadata(ID, lambda value: "default" if value is None else value, str, kind)  # type: ignore[arg-type]
    )
    states.set_widget_from_proto(WidgetState(id=ID, **sent))
    assert states[ID] == "default"


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("bool_value", {"bool_value": True}, True),
        ("double_value", {"int_value": 3}, 3),
        ("json_value", {"json_value": "{}"}, {}),
    ],
)
def test_a_value_that_a_widget_can_have_is_kept(
    kind: str, sent: dict[str, Any], value: object, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(WStates, "__getitem__", WStates.__getitem__)
    check_widget_values.apply()
    states = WStates()
    states.set_widget_metadata(WidgetMetadata(ID, lambda value: value, str, kind))  # type: ignore[arg-type]
    states.set_widget_from_proto(WidgetState(id=ID, **sent))
    assert states[ID] == value


def test_two_runs_of_a_session_do_not_change_its_state_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(SafeSessionState, "__init__", SafeSessionState.__init__)
    share_session_lock.apply()
    state, other = SessionState(), SessionState()
    old, new = (SafeSessionState(state, lambda: None) for _ in range(2))
    changed = threading.Event()

    def change() -> None:
        new["seed"] = 5
        changed.set()

    with old.query_params():  # holds the session's lock
        thread = threading.Thread(target=change)
        thread.start()
        SafeSessionState(other, lambda: None)["seed"] = 4  # other sessions do not wait
        assert not changed.wait(0.1)
    thread.join()
    assert old["seed"] == 5


def test_a_download_is_kept_for_a_minute_while_runs_of_any_page_end(
    monkeypatch: pytest.MonkeyPatch,
):
    now = 100.0
    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: "one")
    monkeypatch.setattr(keep_downloads, "time", SimpleNamespace(monotonic=lambda: now))
    storage = MemoryMediaFileStorage("/media")

    def run_ends(manager: MediaFileManager) -> None:
        manager.clear_session_refs("one")
        for _ in range(3):
            manager.remove_orphaned_files()

    def click() -> tuple[MediaFileManager, str]:
        """Click a button whose page runs while the file is made and before the browser has it."""
        manager = MediaFileManager(storage)

        def make() -> bytes:
            run_ends(manager)
            return b"x1,x2"

        button = manager.add_deferred(make, "text/csv", "0.1", "points.csv")
        name = manager.execute_deferred(button).rpartition("/")[2]
        run_ends(manager)
        return manager, name

    _, name = click()
    with pytest.raises(MediaFileStorageError):  # the fault
        storage.get_file(name)
    for method in ("execute_deferred", "remove_orphaned_files"):
        monkeypatch.setattr(MediaFileManager, method, getattr(MediaFileManager, method))
    keep_downloads.apply()
    manager, name = click()
    now += keep_downloads.SECONDS_KEPT - 1
    run_ends(manager)
    assert storage.get_file(name).content == b"x1,x2"
    now += 2
    run_ends(manager)
    with pytest.raises(MediaFileStorageError):
        storage.get_file(name)


def test_of_many_downloads_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: "one")
    for method in ("execute_deferred", "remove_orphaned_files"):
        monkeypatch.setattr(MediaFileManager, method, getattr(MediaFileManager, method))
    keep_downloads.apply()
    storage = MemoryMediaFileStorage("/media")
    manager = MediaFileManager(storage)
    names = []
    for i in range(keep_downloads.MAX_KEPT + 3):
        button = manager.add_deferred(lambda i=i: str(i), "text/csv", "0.1", "points.csv")
        names.append(manager.execute_deferred(button).rpartition("/")[2].partition(".")[0])
    for _ in range(2):
        manager.remove_orphaned_files()
    assert list(storage._files_by_id) == names[3:]


def test_of_many_uploads_a_session_keeps_the_last(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(MemoryUploadedFileManager, "add_file", MemoryUploadedFileManager.add_file)
    limit_uploads.apply()
    manager = MemoryUploadedFileManager("/upload")
    names = [str(i) for i in range(limit_uploads.MAX_FILES + 3)]
    for name in names:
        manager.add_file("one", UploadedFileRec(name, "f.csv", "text/csv", b"1"))
    manager.add_file("two", UploadedFileRec("0", "f.csv", "text/csv", b"1"))
    assert list(manager.file_storage["one"]) == names[3:]
    assert list(manager.file_storage["two"]) == ["0"]


def test_errors_of_the_page_are_not_logged_by_streamlit_and_others_are(
    monkeypatch: pytest.MonkeyPatch,
):
    written: list[str] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: written.append(record.getMessage()))
    monkeypatch.setattr(error_util._LOGGER, "handlers", [handler])
    monkeypatch.setattr(error_util._LOGGER, "filters", [])

    def fail(_: Exception) -> None:
        raise RuntimeError

    def report() -> int:
        written.clear()
        error_util.handle_user_script_exception(ValueError("no"), fail)
        return len(written)

    before = report()
    log_errors_once.apply()
    assert report() == before - 1
    assert "on_script_error handler raised an exception" in written
