"""Tests of links, embedding snippets and saved files."""

import html
import json
import platform
import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import regviz
from regviz.data.datasets import make_dataset
from regviz.methods.catalogue import METHODS
from regviz.pages import share
from regviz.pages.components import qr_image
from regviz.scenes.link import MAX_LINK_CHARS, from_query, link
from regviz.scenes.scene import GROUPS, Scene
from regviz.scenes.showcase import LINE_UP
from regviz.server.limits import Limits
from regviz.spec.points import PointsSpec
from tests.support.playground import (
    QUICK,
    grid_on,
    header,
    method_switch,
    open_page,
    received_epochs,
    set_view,
    widget,
)

pytestmark = pytest.mark.usefixtures("runs")


@pytest.fixture
def page() -> AppTest:
    return open_page(**QUICK)


def scene_of(address: str) -> Scene:
    scene, problems = from_query(dict(parse_qsl(urlsplit(address).query)))
    assert problems == []
    return scene


@pytest.fixture
def embedding_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow embedding in any other page."""
    granted = Limits(embed=("https://course.example",))
    monkeypatch.setattr(share, "limits", lambda: granted)


def share_texts(page: AppTest) -> list[str]:
    """Open Share; return the link and, if there is one, the embedding snippet."""
    page.session_state["share"] = True
    page.run()
    assert not page.exception
    return [code.value for code in page.code]


def url_in_snippet(snippet: str) -> str:
    (address,) = re.findall(r'src="([^"]+)"', snippet)
    return html.unescape(address)


# ------------------------------------------------------------------------------ the link


def test_the_link_opens_what_is_seen(page: AppTest):
    widget(page.slider, "Noise").set_value(0.5)
    widget(page.slider, "Hidden layers").set_value(2).run()
    method_switch(page, "dropout").set_value(False).run()
    received_epochs(page)
    set_view(page, focus="l2", strength_indices={"l1": 9, "l2": 7, "none": 0}, epoch=20)
    address, *_ = share_texts(page)
    scene = scene_of(address)
    grid = grid_on(page)
    assert scene.grid() == grid
    assert (scene.focus, scene.epoch) == ("l2", 20)
    # L2 is at its default strength
    assert dict(scene.strengths) == {"l1": grid.strengths("l1")[9]}
    again = open_page(**dict(parse_qsl(urlsplit(address).query)))
    assert grid_on(again) == grid
    requested = again.session_state["page"].requested_view
    initial = {key: METHODS[key].default_index for key in ("l2", "elastic_net", "max_norm")}
    assert requested["strength_indices"] == {"none": 0, "l1": 9} | initial
    assert (requested["focus"], requested["epoch"]) == ("l2", 20)


def test_the_link_has_the_variants_that_are_seen(page: AppTest):
    indices = {"elastic_net": 1, "max_norm": 0}
    set_view(page, strength_indices={"elastic_net": 3}, variant_indices=indices)
    address, *_ = share_texts(page)
    scene, grid = scene_of(address), grid_on(page)
    assert dict(scene.variants) == {"elastic_net": 0.25, "max_norm": 0.0}
    assert dict(scene.strengths) == {"elastic_net": grid.strengths("elastic_net", 1)[3]}
    again = open_page(**dict(parse_qsl(urlsplit(address).query)))
    requested = again.session_state["page"].requested_view
    assert requested["variant_indices"] == indices
    assert requested["strength_indices"]["elastic_net"] == 3
    grid, rows, _ = again.session_state["page"].shown
    net, bound = (grid.experiment.regularizations[rows[i]] for i in (3, 5))
    assert net.l1 == pytest.approx(net.l2 / 3)
    assert bound.drop_rate == 0


def test_the_link_of_the_untouched_page_is_short(page: AppTest):
    address, *_ = share_texts(page)
    assert urlsplit(address).query == "v=2&hidden=2&epochs=50"


def test_what_the_board_said_before_the_last_request_does_not_count(page: AppTest):
    set_view(page, focus="l2", strength_indices={}, epoch=None)
    assert scene_of(share_texts(page)[0]).focus == "l2"
    state = page.session_state["page"]
    state.requested_view = state.requested_view | {"id": "another"}
    page.session_state["board"] = {
        "view": {"request_id": "before", "focus": "l1", "strength_indices": {}}
    }
    assert scene_of(share_texts(page)[0]).focus == "l2"


@pytest.mark.parametrize(
    "seen",
    [
        *("l1", 3, None, [], {"focus": "l3"}, {"focus": ["l1"]}, {"strength_indices": 3}),
        *(
            {"strength_indices": {"l1": "7"}},
            {"strength_indices": {"l1": 10**400}},
            {"strength_indices": {"l3": 1}},
        ),
        *({"epoch": -1}, {"epoch": "3"}, {"epoch": 10**400}, {"epoch": 3.5}),
    ],
)
def test_a_forged_view_makes_no_broken_link(page: AppTest, seen: object):
    said = (
        seen | {"request_id": page.session_state["page"].requested_view["id"]}
        if isinstance(seen, dict)
        else seen
    )
    page.session_state["board"] = {"view": said}
    assert scene_of(share_texts(page)[0]).grid() == grid_on(page)


@pytest.mark.usefixtures("embedding_allowed")
def test_the_snippet_embeds_the_page_and_leaves_out_what_is_asked(page: AppTest):
    _, snippet = share_texts(page)
    assert snippet.startswith("<iframe ")
    assert dict(parse_qsl(urlsplit(url_in_snippet(snippet)).query))["embed"] == "true"
    widget(page.multiselect, "Leave out").set_value(["network", "training"]).run()
    address = url_in_snippet(page.code[1].value)
    assert scene_of(address).hide == ("network", "training")
    # the link for others shows all controls
    assert scene_of(page.code[0].value).hide == ()


def test_without_embedding_there_is_no_snippet_but_a_note_on_how_to_allow_it(page: AppTest):
    assert len(share_texts(page)) == 1
    (told,) = [caption.value for caption in page.caption if "REGVIZ_EMBED" in caption.value]
    assert "REGVIZ_EMBED=https://example.org make run" in told
    assert not page.multiselect


def test_a_link_that_servers_would_refuse_is_told(page: AppTest):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(2000, 2)), np.arange(2000) % 2])
    page.session_state["page"].to_open = Scene(
        PointsSpec(X), training=replace(Scene().training, epochs=1)
    )
    page.run()
    address, *_ = share_texts(page)
    assert len(address) > MAX_LINK_CHARS
    assert "2000 points" in page.warning[0].value
    assert any("too long for a QR code" in caption.value for caption in page.caption)


def test_a_link_that_works_on_this_computer_only_is_told_with_the_one_that_others_can_open(
    page: AppTest,
):
    address, *_ = share_texts(page)
    assert urlsplit(address).hostname == "localhost"
    (told,) = [each.value for each in page.caption if "this computer only" in each.value]
    assert f"http://{platform.node()}:8501" in told


def test_the_qr_code_holds_the_link():
    # not a test of segno: only that the image encodes the link and has a text alternative
    image = qr_image("https://example.org/?v=2&data=moons")
    assert image.startswith('<img src="data:image/svg+xml')
    assert 'alt="QR code of the link"' in image
    assert image != qr_image("https://example.org/?v=2&data=circles")


# ------------------------------------------------------------------------------ hidden controls


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_that_is_hidden_is_gone_and_what_it_chose_stays(group: str):
    query = QUICK | {"noise": "0.5", "learning_rate": "0.02", "methods": "none,l1", "phases": "9"}
    whole, part = open_page(**query), open_page(**query, hide=group)
    assert not part.exception
    assert grid_on(part) == grid_on(whole)
    heads = {"data": "Data", "network": "Network", "training": "Training", "line_up": "Line-up"}
    found = " ".join(heading.value for heading in part.header)
    for key, head in heads.items():
        assert (head in found) == (key != group)
    assert ("Understand" in found) == (group != "understand")
    assert ("share" in part.session_state) == (group != "share")
    assert ("claims" in header(part)) == (group != "claims")


def test_with_all_controls_hidden_there_is_no_sidebar():
    page = open_page(**QUICK, hide=",".join(GROUPS))
    assert not page.exception
    assert len(page.sidebar) == 0
    assert grid_on(page).experiment.network.hidden == (2,)


# ------------------------------------------------------------------------------ files


def open_file(page: AppTest, text: str | bytes) -> AppTest:
    page.session_state["save"] = True
    page.run()
    content = text if isinstance(text, bytes) else text.encode()
    page.file_uploader(key="open_file").set_value(("experiment.json", content, "application/json"))
    return page.run()


def test_a_file_is_opened_and_every_control_stands_where_it_has_it(page: AppTest):
    scene = Scene(
        regviz.DataSpec("xor", noise=0.35, label_noise=0.1, train_fraction=0.4, seed=5),
        regviz.NetworkSpec((4, 2), "relu", ("x1", "x1*x2")),
        regviz.TrainingSpec("adam", 0.002, None, 60, seed=5),
        ("none", "l1", "max_norm"),
        early_stopping=False,
        phases=(regviz.Phase(12, regviz.Regularization(l2=0.1)),),
        focus="max_norm",
        strengths={"l1": 0.01},
        epoch=30,
    )
    open_file(page, scene.to_json())
    assert not page.exception
    assert grid_on(page) == scene.grid()
    assert widget(page.slider, "Noise").value == 0.35
    assert widget(page.select_slider, "Learning rate").value == 0.002
    assert [field.value for field in page.number_input if "Layer" in field.label] == [4, 2]
    assert page.session_state["page"].requested_view["focus"] == "max_norm"
    assert page.session_state["page"].requested_view["epoch"] == 30
    # later changes work as usual
    widget(page.slider, "Noise").set_value(0.5).run()
    assert grid_on(page) == replace(scene, data=replace(scene.data, noise=0.5)).grid()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "JSON text"),
        (b"\x00\xff\xfe", "not text in UTF-8"),
        (b"\x89PNG\r\n", "not text in UTF-8"),
        ("{", "JSON text"),
        ("[1]", "an object with names"),
        ('{"colour": 1}', "colour"),
        ('{"training": {"epochs": 0}}', "epochs must be"),
        ('{"regviz": 3}', "regviz must be"),
        ('{"methods": ["![x](https://example.org)"]}', r"\!\[x\]"),
    ],
)
def test_a_file_that_cannot_be_opened_is_told_and_what_is_shown_stays(
    page: AppTest, content: str | bytes, message: str
):
    before = grid_on(page)
    open_file(page, content)
    assert not page.exception
    (error,) = page.error
    assert message in error.value.replace("\\", "") or message in error.value
    assert "Nothing was changed" in error.value
    assert grid_on(page) == before


def test_settings_of_a_file_that_do_not_go_together_leave_the_page_as_it_was(page: AppTest):
    before = grid_on(page)
    data = '{"data": {"name": "moons", "n_samples": 20, "train_fraction": 0.05}}'
    open_file(page, data)
    assert not page.exception
    assert "fraction must be" in page.error[0].value
    assert grid_on(page) == before


def test_problems_of_a_link_are_told_once_and_gone_with_the_next_change():
    page = open_page(**QUICK, noise="loud", colour="[red](https://example.org)")
    text = page.warning[0].value
    assert "noise must be a number" in text.replace("\\", "")
    assert "](" not in text  # names in a link are not rendered as Markdown links
    widget(page.slider, "Noise").set_value(0.5).run()
    assert not page.warning


def test_a_strength_that_is_not_offered_is_told():
    page = open_page(**QUICK, dropout="0.123")
    offered = grid_on(page).strengths("dropout")
    nearest = min(offered, key=lambda rate: abs(rate - 0.123))
    assert f"nearest, {nearest:g}" in page.warning[0].value.replace("\\", "")


def test_json_of_the_page_opens_in_the_library(page: AppTest):
    scene: Scene = page.session_state["page"].shown[2]
    again = Scene.from_json(scene.to_json())
    assert again.grid().experiment == grid_on(page).experiment
    assert json.loads(scene.to_json())["methods"] == list(LINE_UP)


# ------------------------------------------------------------------------------ own points


def own(n: int, seed: int = 0, n_classes: int = 2, **more) -> PointsSpec:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    task = "binary" if n_classes == 2 else "multiclass"
    return PointsSpec(np.column_stack([rng.normal(size=(n, 2)) + y[:, None], y]), task, **more)


FEW_EPOCHS = replace(Scene().training, epochs=5)
SMALL = replace(Scene().network, hidden=(2,))
OWN = [
    own(40, train_fraction=0.7, validation_fraction=0.4, seed=3),
    own(60, n_classes=3, names=("a", "b", "c"), train_fraction=0.333, standardize=False),
    own(50, train_fraction=0.95, validation_fraction=0.0),
    own(12, train_fraction=0.6),
]


@pytest.mark.parametrize("data", OWN, ids=["split", "named", "nearly all", "few"])
@pytest.mark.parametrize("hide", [(), ("data",), ("training",)])
def test_own_points_open_from_a_link_as_they_are_split(data: PointsSpec, hide: tuple[str, ...]):
    scene = Scene(data, SMALL, FEW_EPOCHS, ("none", "l1"), hide=hide)
    query = dict(parse_qsl(urlsplit(link("", scene)).query))
    page = open_page(**query)
    assert not page.exception
    assert not page.error
    assert not page.warning
    n_train = len(make_dataset(data).points("train")[1])
    training = replace(FEW_EPOCHS, batch_size=min(10, n_train))
    assert page.session_state["page"].shown[2].data == data
    assert grid_on(page) == replace(scene, training=training).grid()


def test_points_that_are_opened_take_the_place_of_those_that_were_there():
    page = open_page(**QUICK)
    for data in (own(40), own(50, seed=1), own(40), own(30, seed=2)):
        page.session_state["page"].to_open = Scene(data, SMALL, FEW_EPOCHS)
        page.run()
        assert not page.exception
        assert page.session_state["page"].shown[2].data == data
    page.session_state["page"].to_open = Scene()
    page.run()
    assert page.session_state["page"].shown[2].data == Scene().data


def test_the_share_for_training_is_followed_once_it_moves():
    query = dict(parse_qsl(urlsplit(link("", Scene(OWN[1], SMALL, FEW_EPOCHS))).query))
    page = open_page(**query)
    widget(page.slider, "Share for training").set_value(60).run()
    assert page.session_state["page"].shown[2].data == replace(OWN[1], train_fraction=0.6)


def test_an_epoch_that_is_not_recorded_is_told():
    page = open_page(epoch="100")
    assert "Epoch 100 is not recorded: epoch 98 is shown" in page.warning[0].value.replace("\\", "")
