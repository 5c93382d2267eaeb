"""Tests of the sidebar's controls for own points."""

import io
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from streamlit.testing.v1 import AppTest

from regviz.data.drawing import Drawing
from regviz.data.table import MAX_BYTES
from regviz.pages import own_points
from regviz.spec.points import MAX_ABS_COORDINATE, MAX_POINTS, PointsSpec
from tests.support.uploads import (
    captions,
    click_use,
    open_script,
    points_in_use,
    upload_file,
    upload_script,
)

TWO_CLASSES = PointsSpec(tuple((i / 4, -i / 4, i % 2) for i in range(12)), names=("left", "right"))
VALUES = PointsSpec(tuple((i / 5, i / 5, i / 3) for i in range(15)), task="regression")
TABLE = "age,height,kind\n" + "".join(f"{20 + i},{150 + i * i},{'ab'[i % 2]}\n" for i in range(20))


def drawing() -> None:
    """Run the drawing pad, as the script of the test's page."""
    import streamlit

    from regviz.pages.own_points import draw

    streamlit.session_state["result"] = draw(streamlit.session_state.get("before"))


def numbers(spec: PointsSpec | None) -> np.ndarray:
    assert spec is not None
    return np.array(spec.points)


# Upload


def test_without_a_file_the_page_says_what_is_needed():
    page = open_script(upload_script)
    assert points_in_use(page) is None
    assert "10 to 2000 rows, at most 100,000 numbers and 1 MB" in captions(page)


def test_points_in_use_stay_until_there_is_a_file():
    page = open_script(upload_script, own_points=TWO_CLASSES)
    assert points_in_use(page) == TWO_CLASSES
    assert captions(page) == "In use: 12 points: 2 classes (left: 6, right: 6)."
    assert "15 points with a value." in captions(open_script(upload_script, own_points=VALUES))


def test_a_file_becomes_points_scaled_where_they_need_it():
    page = upload_file(TABLE, own_points=TWO_CLASSES)
    spec = click_use(page)
    X = np.array([(20 + i, 150 + i * i) for i in range(20)], float)
    expected = (X - X.mean(axis=0)) / X.std(axis=0)
    assert np.abs(numbers(spec)[:, :2] - expected).max() <= 0.0005 + 1e-9
    assert spec.names == ("a", "b")
    assert spec.standardize
    assert "20 points: 2 classes (a: 10, b: 10)." in captions(page)
    assert f"age: mean {X[:, 0].mean():.3g}, sd {X[:, 0].std():.3g}" in captions(page)
    assert f"height: mean {X[:, 1].mean():.3g}, sd {X[:, 1].std():.3g}" in captions(page)
    assert "Text in UTF-8, cells separated by commas. The first row holds the names." in captions(
        page
    )


def test_without_scaling_the_numbers_are_used_as_they_are():
    page = upload_file(TABLE)
    (scale,) = [toggle for toggle in page.toggle if toggle.label == "Scale the columns"]
    scale.set_value(False).run()
    assert numbers(click_use(page))[3].tolist() == [23, 159, 1]
    assert not click_use(page).standardize
    assert "used as they are. Text in UTF-8" in captions(page)


def test_numbers_that_are_rounded_are_said_to_be():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    page = upload_file("x,y,k\n" + "".join(f"{a:.9f},{b:.9f},{int(a > b)}\n" for a, b in X))
    assert [t.value for t in page.toggle] == [True, False]
    assert "used as they are, rounded to three decimals." in captions(page)


def test_columns_and_kind_can_be_chosen():
    page = upload_file(own_points.example_csv())
    iris = load_iris()
    assert click_use(page).task == "multiclass"
    assert click_use(page).names == tuple(iris.target_names)
    assert numbers(click_use(page))[:, 2].tolist() == iris.target.tolist()
    assert [box.value for box in page.selectbox] == ["sepal length", "sepal width", "species"]

    page.selectbox[0].set_value("petal length").run()
    page.selectbox[2].set_value("petal width").run()
    spec = click_use(page)
    assert spec.task == "regression"
    columns = iris.data[:, [2, 1, 3]]
    expected = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    assert np.abs(numbers(spec) - expected).max() <= 0.0005 + 1e-9
    assert "petal width: mean 1.2, sd 0.76" in captions(page)


def test_numbers_can_be_told_to_be_classes_or_values():
    text = "x,y,k\n" + "".join(f"{i / 9},{-i / 9},{i % 3}\n" for i in range(21))
    page = upload_file(text)
    assert click_use(page).task == "multiclass"
    page.button_group[0].set_value("value").run()
    assert click_use(page).task == "regression"


def test_the_header_can_be_overruled():
    page = upload_file(TABLE)
    assert page.toggle[0].value
    page.toggle[0].set_value(False).run()
    assert click_use(page) is None
    assert "Row 1, column 'column 1', must be a finite number, got 'age'" in (
        page.error[0].value.replace("\\", "")
    )
    page = upload_file("2,2,k\n" + TABLE.split("\n", 1)[1])
    page.toggle[0].set_value(True).run()
    assert "Row 1 must be names that differ" in page.error[0].value.replace("\\", "")
    page.toggle[0].set_value(False).run()  # the file is still uploaded
    assert page.toggle[0].value is False


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"\x89PNG\r\n\0",
            "The file must be text in UTF-8 (save as “CSV UTF-8”), got binary data in row 1.",
        ),
        ("", "The file must be a table in CSV format, got an empty one."),
        (TABLE.replace("23", "NaN", 1), "Row 5, column 'age', must be a finite number, got 'NaN'."),
        (TABLE.replace("b", "a"), "Column 'kind' must be of 2 to 10 classes, got 'a' in all rows."),
        (TABLE.replace("age", "kind"), "Row 1 must be names that differ from column to column"),
        (b"x" * (MAX_BYTES + 1), "The file must be at most 1,000,000 bytes long, got 1,000,001."),
    ],
)
def test_what_is_wrong_with_a_file_is_told_and_what_is_on_screen_stays(
    content: str | bytes, message: str
):
    page = upload_file(content, own_points=TWO_CLASSES)
    assert points_in_use(page) == TWO_CLASSES
    assert not page.button
    (error,) = page.error
    text = error.value.replace("\\", "")
    assert text.startswith(message)
    assert text.endswith(" What is on screen stays.")


def test_the_same_column_chosen_twice_is_told():
    page = upload_file(TABLE)
    page.selectbox[1].set_value("age").run()
    assert click_use(page) is None
    assert "three different columns, got 'age' twice" in page.error[0].value.replace("\\", "")
    page.selectbox[1].set_value("height").run()
    assert click_use(page) is not None
    assert not page.error


def test_names_are_shown_as_they_are_and_not_as_markdown():
    name = "[a](b) *c* $d$ :red[e] `f` <g>"
    page = upload_file(TABLE.replace("age", name))
    assert name in captions(page)
    raw = " ".join(each.value for each in page.caption)
    assert re.findall(r"(?<!\\)(?:[\[\]*$`<>]|:red)", raw) == []


# Draw

TWO_POINTS = [[0, 0, 0], [1, 1, 1]]
TEN_POINTS = [[i / 10, -i / 10, i % 2] for i in range(10)]


def message(page: AppTest) -> dict[str, Any]:
    """Return the message to the drawing pad."""
    (canvas,) = (
        e.proto for e in page.main if "regviz_draw" in getattr(e.proto, "component_name", "")
    )
    return json.loads(canvas.json)


def send_drawing(page: AppTest, points: Any, kind: Any = "classes", version: Any = 0) -> AppTest:
    """Run the page as if the pad had sent these points."""
    page.session_state["draw"] = {"drawn": {"version": version, "kind": kind, "points": points}}
    page.run()
    assert not page.exception
    return page


def test_an_empty_canvas_has_no_points_to_train_on():
    page = open_script(drawing)
    assert points_in_use(page) is None
    sent = message(page)
    assert (sent["version"], sent["kind"], sent["points"]) == (0, "classes", [])
    assert sent["limits"] == {"all": 10, "each": 3, "most": 2000}


def test_points_are_returned_once_there_are_enough():
    page = open_script(drawing)
    assert points_in_use(send_drawing(page, TWO_POINTS)) is None
    assert points_in_use(send_drawing(page, TEN_POINTS)) == PointsSpec(
        tuple(map(tuple, TEN_POINTS))
    )
    three = [*TEN_POINTS, [0, 1, 2]]
    assert points_in_use(send_drawing(page, three)) is None
    spec = points_in_use(send_drawing(page, [*three, [0, 1, 2], [0, 1, 2]]))
    assert spec.task == "multiclass"
    values = [[0, 0, i / 10] for i in range(10)]
    assert points_in_use(send_drawing(page, values[:9], "value")) is None
    assert points_in_use(send_drawing(page, values, "value")).task == "regression"


def test_points_to_start_from_are_loaded_and_returned():
    page = open_script(drawing, before=TWO_CLASSES)
    assert points_in_use(page) == TWO_CLASSES
    sent = message(page)
    assert (sent["version"], sent["names"]) == (1, ["left", "right"])
    assert sent["points"] == [list(row) for row in TWO_CLASSES.points]


def test_what_was_drawn_since_is_not_lost_to_what_is_on_screen():
    page = open_script(drawing, before=TWO_CLASSES)
    more = [*map(list, TWO_CLASSES.points), [1, 2, 0]]
    assert points_in_use(send_drawing(page, more, version=1)).n_samples == 13
    # the same points with another split, or the earlier points
    for before in (
        replace(points_in_use(page), seed=5),
        TWO_CLASSES,
        replace(TWO_CLASSES, train_fraction=0.7),
    ):
        page.session_state["before"] = before
        page.run()
        assert points_in_use(page).n_samples == 13
        assert message(page)["version"] == 1
    assert points_in_use(send_drawing(page, TWO_POINTS, version=1)) is None
    assert message(page)["points"] == TWO_POINTS


def test_points_from_elsewhere_replace_the_drawing():
    page = open_script(drawing, before=TWO_CLASSES)
    send_drawing(page, TEN_POINTS, version=1)
    page.session_state["before"] = VALUES
    page.run()
    assert points_in_use(page) == VALUES
    assert message(page)["version"] == 2
    assert message(page)["kind"] == "value"
    # a late gesture that is based on the replaced drawing
    assert points_in_use(send_drawing(page, TWO_POINTS, version=1)) == VALUES
    assert points_in_use(send_drawing(page, [[0, 0, 1.5]] * 10, "value", version=2)).n_samples == 10


def test_a_drawing_is_there_again_when_the_canvas_comes_back():
    page = open_script(drawing, before=TWO_CLASSES)
    send_drawing(page, TEN_POINTS, version=1)
    again = open_script(
        drawing, before=points_in_use(page), drawing=page.session_state["page"].drawing
    )
    assert points_in_use(again) == points_in_use(page)
    assert message(again)["points"] == TEN_POINTS
    elsewhere = open_script(drawing, before=TWO_CLASSES, drawing=page.session_state["page"].drawing)
    assert points_in_use(elsewhere) == TWO_CLASSES


@pytest.mark.parametrize(
    "drawn",
    [
        "text",
        17,
        [],
        {},
        {"version": "1", "kind": "classes", "points": TEN_POINTS},
        {"version": 0, "kind": "other", "points": TEN_POINTS},
        {"version": 0, "kind": ["classes"], "points": TEN_POINTS},
        {"version": 0, "kind": "classes", "points": "x"},
        {"version": 0, "kind": "classes", "points": {"0": TEN_POINTS}},
        {"version": 0, "kind": "classes", "points": [[0, 0, 0]] * (MAX_POINTS + 1)},
        *(
            {"version": 0, "kind": "classes", "points": [*TEN_POINTS, row]}
            for row in (
                None,
                [],
                [0, 0],
                [0, 0, 0, 0],
                [0, 0, 10],
                [0, 0, -1],
                [0, 0, 0.5],
                [0, 0, None],
                [0, "0", 0],
                [True, 0, 0],
                [float("nan"), 0, 0],
                [0, float("inf"), 0],
                [10 * MAX_ABS_COORDINATE, 0, 0],
                [10**400, 0, 0],
                [0, 0, [0]],
            )
        ),
        {"version": 0, "kind": "value", "points": [[0, 0, float("nan")]] * 10},
    ],
    ids=lambda drawn: repr(drawn)[-40:],
)
def test_what_no_canvas_sends_is_refused(drawn: Any):
    page = open_script(drawing)
    page.session_state["draw"] = {"drawn": drawn}
    page.run()
    assert points_in_use(page) is None
    (error,) = page.error
    assert "must be" in error.value
    assert "What is on screen stays" in error.value
    assert message(page)["points"] == []
    assert points_in_use(send_drawing(page, TEN_POINTS)) is not None
    assert not page.error


def test_names_go_with_as_many_classes_as_they_name():
    drawn = Drawing()
    drawn.load(TWO_CLASSES)
    assert drawn.spec() == TWO_CLASSES
    drawn.rows = [*drawn.rows, *[[0, 0, 2]] * 3]
    spec = drawn.spec()
    assert (spec.task, spec.names) == ("multiclass", ())
    drawn.kind = "value"
    assert drawn.spec().names == ()


def test_points_that_were_not_scaled_stay_so_when_they_are_edited():
    drawn = Drawing()
    drawn.load(replace(TWO_CLASSES, standardize=False))
    assert not drawn.spec().standardize


# ------------------------------------------------------------------- more than two inputs


def wide(n_columns: int) -> str:
    rng = np.random.default_rng(n_columns)
    rows = [
        [*(f"{x:.3f}" for x in rng.normal(size=n_columns)), "sick" if i % 2 else "well"]
        for i in range(30)
    ]
    head = [*(f"gene {i}" for i in range(n_columns)), "state"]
    return "\n".join(",".join(row) for row in [head, *rows])


def use_several(page: AppTest) -> None:
    next(each for each in page.toggle if each.label == "More than two inputs").set_value(True).run()


def test_a_hundred_columns_of_a_file_become_inputs():
    page = upload_file(wide(100))
    use_several(page)
    spec = click_use(page)
    assert spec.n_columns == 100
    assert spec.columns == tuple(f"gene {i}" for i in range(100))
    assert spec.names == ("sick", "well")
    expected = np.genfromtxt(io.StringIO(wide(100)), delimiter=",", skip_header=1)[:, :100]
    found = np.array(spec.points)[:, :100]
    scaled = (expected - expected.mean(axis=0)) / expected.std(axis=0)
    kept = expected if not spec.standardize else scaled
    assert np.abs(found - kept).max() <= 0.0005 + 1e-9
    assert "30 points of 100 inputs: 2 classes (sick: 15, well: 15)." in captions(page)


def test_a_hundred_and_one_columns_are_refused_and_a_hundred_of_them_can_be_chosen():
    page = upload_file(wide(101))
    use_several(page)
    told = page.error[0].value.replace("\\", "")
    assert "The inputs must be at most 100 columns, got 101." in told
    page.multiselect[0].set_value(page.multiselect[0].options[1:]).run()
    assert not page.error
    assert click_use(page).columns[0] == "gene 1"


def test_points_with_more_than_two_columns_stay_when_the_canvas_is_opened():
    rows = np.column_stack([np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2])
    page = open_script(drawing, before=PointsSpec(rows))
    assert points_in_use(page) is None  # the sidebar then keeps the points in use
