"""Tests of tables in the forms in which spreadsheets and other programs export them."""

from urllib.parse import urlencode

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.data.columns import SPLIT_NAMES, Columns, points
from regviz.data.datasets import make_dataset
from regviz.data.points_file import points_csv
from regviz.data.table import read
from regviz.figures import boundary
from regviz.pages import own_points
from regviz.scenes.link import MAX_LINK_CHARS, from_query, to_query, to_short_query
from regviz.scenes.scene import Scene
from regviz.spec.experiment import DataSpec
from regviz.spec.points import SPLITS, PointsSpec
from tests.support.uploads import captions, click_use, points_in_use, upload_file, workbook


def read_content(content: str | bytes) -> tuple[Columns, PointsSpec]:
    """Return the guessed columns of a file, and its points without scaling."""
    table = read(content.encode() if isinstance(content, str) else content)
    columns = Columns.guess(table)
    return columns, points(table, columns, scale=False)


def rows(n: int = 12) -> list[str]:
    return [f"{i / 2},{i * i % 7},{'AB'[i % 2]}" for i in range(n)]


@pytest.mark.parametrize("name", ["moons", "three_spirals", "bumps", "plane"])
def test_our_own_points_come_back_in_their_splits(name: str):
    dataset = make_dataset(DataSpec(name, noise=0.2))
    columns, spec = read_content(points_csv(dataset))
    assert (columns.y, columns.split) == ("y", "split")
    assert spec.task == dataset.task
    again = make_dataset(spec)
    for split in SPLITS:
        for exported, imported in zip(dataset.points(split), again.points(split), strict=True):
            assert np.abs(exported - imported).max() <= 0.0005 + 1e-12
    # and its export
    third = make_dataset(read_content(points_csv(again))[1])
    for split in SPLITS:
        np.testing.assert_array_equal(again.points(split)[0], third.points(split)[0])


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("a,b,y,split", ("train", "validation", "test")),
        ("x1,x2,y,Split", ("train", "validation", "test")),
        ("x1,x2,y,split", ("train", "val", "test")),
        ("x1,x2,y,split", ("train", "test", "test")),
        ("u,FOLD,v,y", ("Training", "VALID", "Testing")),
        ("subset,u,v,class", ("train", "train", "test")),
        ("partition,u,v,kind", ("train", "val", "test")),
        ("u,v,kind,Set", ("TRAIN", "VAL", "TEST")),
    ],
)
@pytest.mark.parametrize("text", [False, True])
def test_a_column_of_splits_is_the_split_whatever_the_others_are_called(
    header: str, parts: tuple[str, ...], text: bool
):
    names = header.split(",")
    at = next(i for i, name in enumerate(names) if name.lower() in SPLIT_NAMES)
    others = [name for name in names if name != names[at]]
    lines = []
    for i in range(30):
        cells = [f"{i * i % 11 / 2}", f"{i * 7 % 5 + 0.25}", ("AB" if text else "01")[i % 2]]
        lines.append(",".join([*cells[:at], parts[i // 2 % 3], *cells[at:]]))
    content = "\n".join([header, *lines])
    columns, spec = read_content(content)
    assert [columns.x1, columns.x2, columns.y, columns.split] == [*others, names[at]]
    digit = {"tr": "0", "va": "1", "te": "2"}
    assert spec.split == "".join(digit[parts[i // 2 % 3][:2].lower()] for i in range(30))
    page = upload_file(content)
    counts = [spec.split.count(part) for part in "012"]
    caption = "Split as in the file: {} training, {} validation, {} test.".format(*counts)
    assert caption in captions(page)
    assert click_use(page).split == spec.split


def test_a_column_of_splits_is_no_split_where_it_is_chosen_or_does_not_split():
    lines = [f"{i * i % 11 / 2},{i * 7 % 5 + 0.25},{i % 2}" for i in range(30)]
    body = [f"{row},{('train', 'test')[i // 2 % 2]}" for i, row in enumerate(lines)]
    page = upload_file("\n".join(["a,b,k,set", *body]))
    page.selectbox[2].set_value("set").run()
    assert "30 points: 2 classes (test: 14, train: 16)." in captions(page)
    assert click_use(page).split == ""
    columns, spec = read_content("\n".join(["a,b,k,split", *(f"{row},train" for row in lines)]))
    assert (columns.y, columns.split, spec.split) == ("k", "", "")
    # numbered folds, and sets with other names
    for cells in ("1 2 3 4 5", "train test other"):
        each = cells.split()
        body = [f"{row},{each[i % len(each)]}" for i, row in enumerate(lines)]
        assert Columns.guess(read("\n".join(["a,b,k,fold", *body]).encode())).split == ""


def test_a_split_without_test_points_is_refused():
    body = [f"{i / 2},{i * i % 7},{i % 2},{('train', 'val')[i // 2 % 2]}" for i in range(30)]
    (error,) = upload_file("\n".join(["a,b,k,split", *body])).error
    assert "such that a point is in “test”, got none" in error.value.replace("\\", "")


def test_our_own_file_of_many_whole_numbers_holds_values():
    parts = ("train", "validation", "test")
    body = [f"{i * i % 11 / 2},{i * 7 % 5 + 0.25},{i % 12},{parts[i % 3]}" for i in range(60)]
    columns, spec = read_content("\n".join(["x1,x2,y,split", *body]))
    assert (columns.y, columns.kind, columns.split) == ("y", "value", "split")
    assert spec.task == "regression"


def test_a_given_split_survives_link_and_file_and_no_seed_changes_it():
    spec = read_content(points_csv(make_dataset(DataSpec("moons"))))[1]
    scene = Scene(data=spec)
    assert from_query(to_query(scene)) == (scene, [])
    assert Scene.from_json(scene.to_json()) == scene
    other = regviz.PointsSpec(spec.points, standardize=False, seed=9, split=spec.split)
    for split in SPLITS:
        np.testing.assert_array_equal(
            make_dataset(spec).points(split)[0], make_dataset(other).points(split)[0]
        )
    query = to_query(scene) | {"split": "damaged"}
    assert from_query(query)[1][0].startswith("split must be text of a link")


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("012", "0, 1 or 2 for each point, got '012'"),
        ("3" * 12, "0, 1 or 2 for each point"),
        ("01" * 6, "such that a point is in “test”, got none"),
        ("02" * 6, "such that a point of each class is in “train”, got none of class 1"),
        ("2" * 12, "such that a point of each class is in “train”, got none"),
    ],
)
def test_a_split_that_cannot_be_trained_on_is_refused(split: str, message: str):
    with pytest.raises(ValueError, match=f"split must be {message}"):
        PointsSpec([(i, i * i, i % 2) for i in range(12)], split=split)


def test_a_first_line_that_names_the_delimiter_is_used_and_skipped():
    lines = [row.replace(",", ";") for row in rows()]
    table = read("\n".join(["sep=;", "a;b;c", *lines]).encode())
    assert (table.names, table.first_row, len(table.rows)) == (("a", "b", "c"), 3, 12)
    # which guessing would not find: with commas, too, each row has three cells
    doubled = read("\n".join(["sep=|", *(f"{i},5|{i},7|a,{i % 2}" for i in range(12))]).encode())
    assert doubled.rows[3] == ("3,5", "3,7", "a,1")
    with pytest.raises(ValueError, match=r"row 1 must be “sep=” and a comma.* got '/'"):
        read(b"sep=/\n1/2/3\n")


@pytest.mark.parametrize("tail", ["", ","])
def test_empty_names_at_the_end_are_dropped(tail: str):
    text = "\n".join(["x,y,class,", *(row + tail for row in rows())])
    assert read(text.encode()).names == ("x", "y", "class")


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("label,width,height", "{c},{x},{z}", ("width", "height", "label")),
        ("id,diagnosis,radius,area", "{i},{t},{x},{z}", ("radius", "area", "diagnosis")),
        ("a,species,b,c", "{x},{t},{z},{x}", ("a", "b", "species")),
        ("y,a,b", "{c},{x},{z}", ("a", "b", "y")),
        ("x,y,k", "{x},{z},{c}", ("x", "y", "k")),
        ("x,y,k", "{x},{z},{t}", ("x", "y", "k")),
        ("k,a,b,n", "{t},{x},{z},{i}", ("a", "b", "k")),
        ("n,a,b", "{i},{x},{z}", ("n", "a", "b")),
        ("a,b,n", "{x},{z},{i}", ("a", "n", "b")),
        ("a,b,z,patient_id", "{x},{z},{x},{u}", ("a", "b", "z")),
        ("a,b,z,patient id", "{x},{z},{x},p{u}", ("a", "b", "z")),
        ("index,a,b,kind_id", "{u},{x},{z},{c}", ("a", "b", "kind_id")),
        (
            "temperature,humidity,heat_index",
            "{x},{z},{v}",
            ("temperature", "humidity", "heat_index"),
        ),
        ("mass index,a,vegetation_index,k", "{x},{z},{v},{t}", ("mass index", "a", "k")),
        ("a,index,b", "{x},{v},{z}", ("a", "index", "b")),
        ("x,a,no", "{x},{z},{yes}", ("x", "a", "no")),
        ("x,no,a", "{x},{yes},{z}", ("x", "a", "no")),
        ("no,x,a", "{u},{x},{z}", ("no", "x", "a")),
        ("target_class,a,b", "{c},{x},{z}", ("a", "b", "target_class")),
        ("Class Label,a,b", "{t},{x},{z}", ("a", "b", "Class Label")),
        ("name,Target,a,b", "p{i},{c},{x},{z}", ("a", "b", "Target")),
    ],
)
def test_the_label_is_guessed_from_names_and_cells(
    header: str, row: str, expected: tuple[str, str, str]
):
    lines = [
        row.format(
            i=i + 1,
            u=i * 7 % 20 + 1,  # each once
            v=i * 7 % 20 / 4,
            x=i * i % 11 / 2,
            z=i * 7 % 5 + 0.25,
            c=i % 2,
            t="AB"[i % 2],
            yes=("yes", "no")[i % 2],
        )
        for i in range(20)
    ]
    columns = Columns.guess(read("\n".join([header, *lines]).encode()))
    assert (columns.x1, columns.x2, columns.y) == expected


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ([5 + i % 3 for i in range(29)] + [3], "value"),
        ([i % 2 for i in range(28)] + [2, 2], "value"),
        ([i % 2 for i in range(27)] + [2, 2, 2], "classes"),
        ([5 + i % 3 for i in range(30)], "classes"),
        ([i % 10 for i in range(30)], "classes"),
        ([i % 10 for i in range(29)] + [3], "value"),
    ],
)
def test_numbers_are_classes_only_if_each_has_the_rows_of_a_class(label: list[int], kind: str):
    page = upload_file(
        "\n".join(["a,b,y", *(f"{i / 2},{i * i % 7},{y}" for i, y in enumerate(label))])
    )
    assert not page.error
    assert page.button_group[0].value == kind
    assert click_use(page).n_samples == 30


@pytest.mark.parametrize("n_classes", [4, 10])
def test_up_to_ten_classes_are_trained_as_classes(n_classes: int):
    lines = [f"{np.cos(i):.3f},{np.sin(i):.3f},{i % n_classes + 1}" for i in range(20 * n_classes)]
    page = upload_file("\n".join(["a,b,c", *lines]))
    assert page.button_group[0].value == "classes"
    spec = click_use(page)
    assert spec is not None
    assert (spec.task, spec.n_outputs) == ("multiclass", n_classes)
    assert spec.names == tuple(str(c + 1) for c in range(n_classes))
    training = regviz.TrainingSpec(epochs=3)
    history = regviz.train(regviz.Experiment(spec, training=training))
    assert history.predict([[0.0, 0.0]]).shape == (1, 1, n_classes)
    traces = [
        trace
        for trace in boundary(history, 0).data
        if trace.type == "scatter" and trace.mode == "markers"
    ]
    assert len({trace.marker.symbol for trace in traces}) == n_classes


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("rare", [3, 7])
def test_a_rare_class_is_in_every_split(fraction: float, rare: int):
    X = np.random.default_rng(0).normal(size=(100, 2))
    table = np.column_stack([X, np.arange(100) < rare])
    for seed in range(20):
        spec = PointsSpec(table, train_fraction=fraction, seed=seed)
        dataset = make_dataset(spec)
        sizes = [len(dataset.points(split)[1]) for split in SPLITS]
        assert sum(sizes) == 100
        assert abs(sizes[0] + sizes[1] - 100 * fraction) <= 2
        for split in SPLITS:
            assert set(dataset.points(split)[1]) == {0, 1}


def whole_numbers() -> PointsSpec:
    X = np.random.default_rng(0).normal(size=(2000, 2))
    return PointsSpec(np.column_stack([X, X[:, 0] > 0]), train_fraction=0.7, names=("a", "b"))


def test_points_that_are_too_many_for_the_address_leave_everything_else_in_it():
    scene = Scene(
        data=whole_numbers(),
        network=regviz.NetworkSpec((4,), "relu"),
        methods=("none", "l2"),
        strengths={"l2": 0.1},
    )
    assert len(urlencode(to_query(scene))) > MAX_LINK_CHARS
    query = to_short_query(scene)
    assert len(urlencode(query)) < 300
    opened, problems = from_query(query)
    assert (opened.network, opened.methods) == (scene.network, scene.methods)
    assert opened.strengths == scene.strengths
    assert opened.data.name == Scene().data.name
    assert opened.data.train_fraction == 0.7
    (problem,) = problems
    assert problem.startswith("The points are not in the address")


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-8", "utf-8-sig", "utf-16"])
def test_the_encoding_is_found_and_shown(encoding: str):
    lines = [f"{i / 2};{i * i % 7};{('größer', 'kleiner')[i % 2]}" for i in range(12)]
    page = upload_file("\n".join(["a;b;c", *lines]).encode(encoding))
    named = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16"}.get(encoding, encoding)
    assert f"Text in {named}, cells separated by semicolons." in captions(page)
    assert click_use(page).names == ("größer", "kleiner")


def test_a_data_file_with_spaces_between_its_cells_is_read():
    text = "\n".join(f'  {i / 2}    {i * i % 7}  "kind {"AB"[i % 2]}"' for i in range(12))
    page = upload_file(text, "birds.data")
    assert "cells separated by spaces" in captions(page)
    assert click_use(page).names == ("kind A", "kind B")


def test_a_workbook_is_read_and_its_sheet_is_named():
    body = [[i / 2, i * i % 7, "AB"[i % 2]] for i in range(12)]
    content = workbook(("Notes", []), ("Birds", [["a", "b", "kind"], *body]))
    page = upload_file(content, "birds.xlsx")
    assert "Read from the sheet Birds. The first row holds the names." in captions(page)
    assert click_use(page).names == ("A", "B")


def test_numbers_of_a_workbook_are_what_they_are_whatever_text_beside_them_says():
    weights = [round(1.237 + i * 0.124, 3) for i in range(12)]
    body = [[w, f"0,{i}", i % 2] for i, w in enumerate(weights)]
    page = upload_file(workbook(("Sheet", [["a", "b", "kind"], *body])), "weights.xlsx")
    assert not page.error
    assert [each.label for each in page.button_group] == ["The label is"]  # no decimal sign
    table = read(workbook(("Sheet", [["a", "b", "kind"], *body])))
    assert table.numbers("a") == weights
    assert table.numbers("b") == [float(f"0.{i}") for i in range(12)]
    assert [n.decimal for n in table.notations] == [".", ",", "."]
    # and in one column
    mixed = [[w if i % 4 else "0,5", i * i % 7, i % 2] for i, w in enumerate(weights)]
    expected = [w if i % 4 else 0.5 for i, w in enumerate(weights)]
    assert read(workbook(("Sheet", [["a", "b", "kind"], *mixed]))).numbers("a") == expected


def test_only_text_cells_of_a_workbook_lead_to_a_question():
    body = [[round(1.237 + i * 0.124, 3), i * i % 7, i % 2] for i in range(12)]
    page = upload_file(workbook(("Sheet", [["a", "b", "kind"], *body])), "weights.xlsx")
    assert [each.label for each in page.button_group] == ["The label is"]
    assert click_use(page).names == ("0", "1")
    assert {type(name) for name in click_use(page).names} == {str}
    text = [[str(a), b, c] for a, b, c in body]
    page = upload_file(workbook(("Sheet", [["a", "b", "kind"], *text])), "weights.xlsx")
    assert page.button_group[0].label.replace("\\", "") == "In a, 1.237 means"


@pytest.mark.parametrize("content", ["a,b,c\n1,2\n", "a,a,b\n" + "1,2,3\n" * 12])
def test_a_refused_file_is_not_read_again_when_the_page_runs_again(
    content: str, monkeypatch: pytest.MonkeyPatch
):
    headers = []
    monkeypatch.setattr(own_points, "read", lambda *a: headers.append(a[1]) or read(*a))
    page = upload_file(content)
    message = page.run().error[0].value
    known = [*headers]
    assert len(known) == len({*known})
    page.run()
    assert (page.error[0].value, headers) == (message, known)
    page.file_uploader[0].set_value(("other.csv", "\n".join(["a,b,c", *rows()]), "text/csv")).run()
    assert not page.error


def test_the_file_is_shown_and_nothing_is_trained_on_until_it_is_used():
    before = whole_numbers()
    text = "\n".join(["a,<b>,c", *rows()])
    page = upload_file(text, own_points=before)
    assert points_in_use(page) == before
    (preview,) = [each.proto.body for each in page.main if each.type == "html"]
    assert "The first of 12 rows" in preview
    assert "<td>1.5</td><td>2</td><td>B</td>" in preview
    assert "&lt;b&gt;" in preview
    assert "12 points: 2 classes (A: 6, B: 6)." in captions(page)
    assert page.button[-1].label == "Use these points"
    assert click_use(page).n_samples == 12
    assert (page.button[-1].label, page.button[-1].disabled) == ("In use", True)
    page.selectbox[2].set_value("<b>").run()
    assert points_in_use(page).n_samples == 12


def test_ambiguous_numbers_lead_to_a_question():
    text = "a;b;c\n" + "".join(f"{i},010;{i * i % 7};{'AB'[i % 2]}\n" for i in range(1, 13))
    page = upload_file(text)
    question = page.button_group[0]
    assert question.label.replace("\\", "") == "In a, 1,010 means"
    assert list(question.options) == ["1010", "1.01"]
    for sign, value in ((".", 1010), (",", 1.01)):
        page.button_group[0].set_value(sign).run()
        scale = next(each for each in page.toggle if each.label == "Scale the columns")
        scale.set_value(False).run()
        assert click_use(page).points[0][0] == value


def sidebar() -> None:
    """Run the sidebar's controls, as the script of the test's page."""
    import streamlit

    from regviz.pages.data import choose_data
    from regviz.scenes.scene import Scene

    state = streamlit.session_state
    state["data_chosen"] = choose_data(state.get("data_chosen", Scene().data))


def test_another_share_replaces_the_split_of_the_file():
    page = AppTest.from_function(sidebar, default_timeout=20)
    page.run()
    (source,) = page.button_group
    source.set_value("Upload").run()
    content = points_csv(make_dataset(DataSpec("moons", train_fraction=0.2)))
    page.file_uploader[0].set_value(("points.csv", content.encode(), "text/csv")).run()
    assert page.session_state["data_chosen"] == Scene().data
    page.button[-1].click().run()
    assert "Split as in the file: 64 training, 16 validation, 320 test." in captions(page)
    split = page.session_state["data_chosen"].split
    assert [split.count(part) for part in "012"] == [64, 16, 320]
    (share,) = [each for each in page.slider if each.label == "Share for training"]
    assert share.value == 20
    page.run()
    assert page.session_state["data_chosen"].split == split
    share = next(each for each in page.slider if each.label == "Share for training")
    share.set_value(50).run()
    data = page.session_state["data_chosen"]
    assert (data.split, data.train_fraction) == ("", 0.5)
    page.run()
    assert page.session_state["data_chosen"] == data
