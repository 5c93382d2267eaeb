"""Tests of the binary messages to the browser."""

import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest

import regviz
from regviz.data.datasets import domain
from regviz.engine.recorder import initial_histories
from regviz.methods import palette
from regviz.methods.catalogue import METHODS
from regviz.scenes.cards import grid_cards
from regviz.scenes.encoding import MESSAGE_VERSION, Source, encode, encode_still
from regviz.scenes.frames import (
    HALF,
    SENT_METRICS,
    SINGLE,
    FrameSelector,
    frame_bytes,
    rounded,
    to_float16,
)
from regviz.scenes.scene import Scene
from regviz.scenes.showcase import SHOWCASE
from regviz.scenes.strength_grid import StrengthGrid
from regviz.spec.points import SPLITS
from tests.support.recordings import (
    HalfUntil,
    decode,
    first_epochs,
    select_frames,
    source_of,
    with_metric,
)

NAMES = list(METHODS)
N_FRAMES = 16


@dataclass(frozen=True)
class EncodeArguments(Source):
    """The arguments of `encode`, with the grid of the cards."""

    grid: StrengthGrid

    def message(self, frame: int = 0) -> bytes:
        return encode(self, frame)

    def messages(self) -> Iterator[tuple[dict, dict[str, np.ndarray]]]:
        """Request messages until there is no further frame."""
        frame = 0
        while True:
            header, arrays = decode(self.message(frame))
            if not header["epochs"]:
                return
            yield header, arrays
            frame += len(header["epochs"])


def make_sent(
    grid: StrengthGrid, history: regviz.History | None = None, limit: int | None = None
) -> EncodeArguments:
    """Return the arguments of `encode` at default strengths; train unless a history is given."""
    history = history or regviz.train(grid.experiment)
    cards = grid_cards(grid, tuple(grid.rows({})))
    return EncodeArguments(cards, "run", history, select_frames(history, limit), grid)


def small_grid(
    methods=NAMES, data=SHOWCASE.data, early_stopping=True, phases=(), **training
) -> StrengthGrid:
    training = replace(SHOWCASE.training, **{"epochs": N_FRAMES - 1, **training})
    return StrengthGrid.of(
        methods, data, regviz.NetworkSpec((3,)), training, phases, early_stopping
    )


@pytest.fixture(scope="module")
def sent() -> EncodeArguments:
    return make_sent(small_grid())


@pytest.fixture
def mixed(sent: EncodeArguments, half_until: HalfUntil) -> EncodeArguments:
    """Half precision before time 5; from there on every other frame, in single precision."""
    half_until(5)
    return make_sent(sent.grid, sent.history, limit=0)


# ------------------------------------------------------------------------------ the layout


def test_the_first_message_holds_all_that_does_not_change(sent: EncodeArguments):
    header, arrays = decode(sent.message())
    history = sent.history
    for split in SPLITS:
        X, y = history.dataset.points(split)
        np.testing.assert_allclose(arrays[split], np.column_stack([X, y]), atol=1e-6)
    assert header["version"] == MESSAGE_VERSION
    assert (header["run"], header["frame"]) == ("run", 0)
    assert header["n_networks"] == 121
    assert header["last_epoch"] == N_FRAMES - 1
    assert header["patience"] == 1
    assert header["phases"] == []
    assert header["learning_rate"] == sent.grid.experiment.training.learning_rate
    assert header["task"] == "binary"
    assert header["layers"] == [2, 3, 1]
    assert header["activation"] == "tanh"
    assert header["features"] == ["x1", "x2"]
    assert header["metrics"] == list(SENT_METRICS)
    assert header["domain"] == list(domain(history.dataset))
    assert header["classes"] == list(palette.CLASSES)
    assert header["blank"] == palette.BLANK


def test_the_first_message_says_how_the_training_changes():
    phases = (regviz.Phase(2), regviz.Phase(4, regviz.Regularization(drop_rate=0.2), 0.5))
    grid = small_grid(phases=phases)
    history = next(regviz.stream(grid.experiment))
    header, _ = decode(
        encode(Source.of(grid, "run", grid.rows({}), history, select_frames(history)))
    )
    rate = grid.experiment.training.learning_rate
    plain = {
        "until": 2,
        "text": "None",
        "regularized": False,
        "drop_rate": 0,
        "learning_rate": rate,
    }
    dropout = {"until": 4, "text": "Dropout drop 20 %", "regularized": True, "drop_rate": 0.2}
    assert header["phases"] == [plain, dropout | {"learning_rate": 0.5}]


def test_a_message_holds_frames_and_metrics_of_all_networks(sent: EncodeArguments):
    header, arrays = decode(sent.message())
    assert header["epochs"] == list(range(N_FRAMES))
    assert header["n_frames"] == N_FRAMES
    assert header["diverged"] == [-1] * len(sent.grid.experiment.regularizations)
    assert arrays["parameters"].dtype == "<f4"
    np.testing.assert_array_equal(arrays["parameters"], rounded(sent.history.parameters))
    for i, name in enumerate(SENT_METRICS):
        expected = sent.history.metrics[name].astype("f4")
        np.testing.assert_array_equal(arrays["metrics"][:, :, i], expected, err_msg=name)


def test_points_and_cards_travel_once(sent: EncodeArguments):
    opening = {"cards", "n_networks", "domain", "classes"}
    assert opening <= decode(sent.message())[0].keys()
    header, arrays = decode(sent.message(1))
    assert not opening & header.keys()
    assert list(arrays) == ["parameters", "metrics"]


@pytest.mark.parametrize("cut", [1, 7, N_FRAMES - 1])
def test_two_messages_make_the_whole(sent: EncodeArguments, cut: int):
    _, whole = decode(sent.message())
    earlier = first_epochs(sent.history, cut)
    head, start = decode(encode(replace(sent, history=earlier)))
    tail, end = decode(sent.message(cut))
    assert (head["frame"], tail["frame"]) == (0, cut)
    assert head["epochs"] + tail["epochs"] == list(range(N_FRAMES))
    for name in ("parameters", "metrics"):
        np.testing.assert_array_equal(np.concatenate([start[name], end[name]]), whole[name])


@pytest.mark.parametrize("fixture", ["sent", "mixed"])
def test_a_complete_recording_is_sent_no_further_frame(
    fixture: str, request: pytest.FixtureRequest
):
    sent = request.getfixturevalue(fixture)
    n_frames = len(sent.selector.frames)
    for frame in (n_frames, n_frames + 5):
        message = sent.message(frame)
        header, arrays = decode(message)
        assert header["epochs"] == []
        assert {len(array) for array in arrays.values()} == {0}
        assert len(message) < 750


# ------------------------------------------------------------------------------ two precisions


def test_a_message_holds_frames_of_one_precision(mixed: EncodeArguments):
    (half, early), (single, late) = mixed.messages()
    assert half["epochs"] == [0, 1, 2, 3, 4]
    assert single["epochs"] == [7, 9, 11, 13, 15]
    assert (half["frame"], single["frame"]) == (0, 5)
    assert half["n_frames"] == single["n_frames"] == 10
    assert (early["parameters"].dtype, late["parameters"].dtype) == ("<f2", "<f4")
    assert early["metrics"].dtype == late["metrics"].dtype == "<f4"


def test_frames_hold_the_epochs_that_they_say_in_either_precision(mixed: EncodeArguments):
    parameters = mixed.history.parameters
    for header, arrays in mixed.messages():
        exact = parameters[header["epochs"]]  # every epoch is recorded
        if header["frame"] == 0:
            np.testing.assert_array_equal(arrays["parameters"], to_float16(exact))
        else:
            np.testing.assert_allclose(arrays["parameters"], exact, rtol=2**-18, atol=0)
        for i, name in enumerate(SENT_METRICS):
            values = mixed.history.metrics[name][header["epochs"]].astype("f4")
            np.testing.assert_array_equal(arrays["metrics"][:, :, i], values, err_msg=name)


@pytest.mark.parametrize("frame", range(11))
def test_a_browser_with_n_frames_is_sent_those_from_n_on(mixed: EncodeArguments, frame: int):
    header, arrays = decode(mixed.message(frame))
    rest = [t for t, _ in mixed.selector.frames[frame:]]
    expected = [t for t in rest if t < 5] or rest
    assert header["epochs"] == expected
    assert len(arrays["parameters"]) == len(expected)


def test_frames_take_the_bytes_that_are_counted_of_them(mixed: EncodeArguments):
    _, n_rows, n_parameters = mixed.history.parameters.shape
    assert (n_rows * n_parameters) % 2  # an odd length needs padding, which is not counted
    for (header, arrays), kind in zip(mixed.messages(), (HALF, SINGLE), strict=True):
        sent = arrays["parameters"].nbytes + arrays["metrics"].nbytes
        assert sent == len(header["epochs"]) * frame_bytes(n_rows, n_parameters, kind)


# ------------------------------------------------------------------------------ early stopping


def stopping_epochs(
    losses: np.ndarray, epochs: np.ndarray, patience: int
) -> tuple[int, int | None]:
    """Compute the best epoch and the epoch of stopping by a loop over recorded epochs."""
    best = 0
    for t in range(1, len(losses)):
        if losses[t] < losses[best]:
            best = t
        elif epochs[t] - epochs[best] >= patience:
            return int(epochs[best]), int(epochs[t])
    return int(epochs[best]), None


def assert_stopping_epochs(sent: EncodeArguments, header: dict, n_times: int) -> None:
    """Assert that a message has the early-stopping epochs of a run of ``n_times`` epochs."""
    losses = sent.history.metrics["validation_loss"][:n_times]
    epochs = sent.history.epochs[:n_times]
    found = [stopping_epochs(column, epochs, sent.grid.patience) for column in losses.T]
    assert header["early_stopping"] == {
        "best": [best for best, _ in found],
        "stop": [stop for _, stop in found],
    }


def test_a_loss_that_is_lower_in_double_precision_alone_is_lower(sent: EncodeArguments):
    values = sent.history.metrics["validation_loss"]
    falling = np.broadcast_to(1 - 1e-12 * np.arange(len(values))[:, None], values.shape)
    assert (falling.astype("f4") == 1).all()  # the frames are the same
    sent = replace(sent, history=with_metric(sent.history, "validation_loss", falling))
    header, _ = decode(sent.message())
    n_rows = values.shape[1]
    assert header["early_stopping"] == {"best": [N_FRAMES - 1] * n_rows, "stop": [None] * n_rows}


@pytest.mark.parametrize("name", ["moons", "spirals", "three_blobs", "plane", "bumps"])
def test_every_network_has_the_epochs_that_all_recorded_epochs_decide(name: str):
    """Early-stopping epochs include recorded epochs whose frame is not sent."""
    data = replace(SHOWCASE.data, name=name)
    sent = make_sent(small_grid(data=data, epochs=90, learning_rate=0.2), limit=0)
    *_, (header, _) = sent.messages()
    assert_stopping_epochs(sent, header, len(sent.history.epochs))
    assert any(header["early_stopping"]["stop"])


def test_epochs_are_decided_whose_frames_do_not_travel(mixed: EncodeArguments):
    losses = np.ones_like(mixed.history.metrics["validation_loss"])
    losses[8] = 0.5  # all epochs are recorded, but only 7 and 9 are sent
    sent = replace(mixed, history=with_metric(mixed.history, "validation_loss", losses))
    half, single = (header for header, _ in sent.messages())
    assert 8 not in half["epochs"] + single["epochs"]
    # with a patience of one epoch training stops before the best epoch
    assert set(single["early_stopping"]["best"]) == {0}
    losses[:8] = np.linspace(2, 1, 8)[:, None]
    half, single = (header for header, _ in sent.messages())
    for header in half, single:
        assert set(header["early_stopping"]["best"]) == {8}
        assert set(header["early_stopping"]["stop"]) == {9}


def test_a_growing_run_says_what_holds_so_far():
    grid = small_grid(epochs=60)
    rows = grid.rows({})
    whole = regviz.train(grid.experiment)
    selector = FrameSelector(whole)
    for n_times, history in enumerate(regviz.stream(grid.experiment), start=1):
        selector.add(history)
        sent = EncodeArguments(grid_cards(grid, tuple(rows)), "run", history, selector, grid)
        header, _ = decode(sent.message(n_times - 1))
        assert header["epochs"] == [n_times - 1]
        assert_stopping_epochs(sent, header, n_times)


def test_without_validation_points_nothing_is_decided():
    data = replace(SHOWCASE.data, validation_fraction=0.0)
    header, _ = decode(make_sent(small_grid(data=data)).message())
    assert header["early_stopping"] is None


def test_networks_that_all_diverge_are_stopped_as_any_other():
    grid = small_grid(["none"], epochs=20, optimizer="sgd")
    history = regviz.train(grid.experiment)
    metrics = {name: np.full_like(values, np.nan) for name, values in history.metrics.items()}
    sent = make_sent(grid, replace(history, metrics=metrics))
    header, _ = decode(sent.message())
    assert header["early_stopping"] == {"best": [0], "stop": [grid.patience]}


# ------------------------------------------------------------------------------ cards


def test_each_method_has_a_card_with_its_networks_and_strengths_from_weak_to_strong():
    grid = small_grid()
    strength_indices = dict.fromkeys(NAMES[1:], 1)
    strength_indices |= {"l1": 0, "l2": 7, "elastic_net": 2, "dropout": 6, "max_norm": 3}
    variant_indices = {"elastic_net": 4, "max_norm": 0}
    rows = grid.rows(strength_indices, variant_indices)
    history = next(regviz.stream(grid.experiment))
    header, _ = decode(encode(Source.of(grid, "run", rows, history, select_frames(history))))
    *cards, stopped = header["cards"]
    experiment = grid.experiment
    assert [card["key"] for card in cards] == NAMES
    parts = experiment.data, experiment.network, experiment.training
    for card, (key, by_variant) in zip(cards, grid.networks_by_variant, strict=True):
        method = METHODS[key]
        assert card["label"] == method.label
        assert card["about"].startswith(method.about)
        assert card["colour"] == METHODS[key].colour
        for value, variant, networks in zip(
            method.values(*parts), card["variants"], by_variant, strict=True
        ):
            strengths = method.offered(*parts, value)
            assert variant["value"] == value
            assert variant["networks"] == list(networks)
            assert variant["strengths"] == ([method.text(one) for one in strengths] or [""])
            assert variant["values"] == (list(strengths) or [0])
            rates = [method.regularization(one, value).drop_rate for one in strengths]
            assert variant["drop_rates"] == (rates or [0])
            assert variant["idle"] == [False] * len(networks)
        assert card["variant_index"] == variant_indices.get(key, 0)
        assert card["strength_index"] == strength_indices.get(key, 0)
        assert card["standard"] == (0 if key == "none" else method.default_index)
        assert card["early_stopped"] is False
    seconds = {card["key"]: card["second"] for card in cards if card["second"]}
    assert {key: second["parameter"] for key, second in seconds.items()} == {
        "elastic_net": "elastic_net_l1_ratio",
        "max_norm": "max_norm_drop_rate",
    }
    assert [variant["text"] for variant in cards[3]["variants"]][1:3] == ["25 % L1", "50 % L1"]
    assert [variant["text"] for variant in cards[5]["variants"]][:2] == ["no dropout", "drop 10 %"]
    assert [card["standard_variant"] for card in cards] == [0, 0, 0, 2, 0, 1, 0]
    assert stopped == cards[0] | {
        "key": "early_stopping",
        "label": "Early stopping",
        "about": stopped["about"],
        "colour": palette.EARLY_STOPPING,
        "early_stopped": True,
    }
    assert stopped["about"] != cards[0]["about"]


@pytest.mark.parametrize(
    ("methods", "early_stopping", "keys"),
    [
        (["none", "l2"], True, ["none", "l2", "early_stopping"]),
        (["none", "l2"], False, ["none", "l2"]),
        (["l1", "l2"], True, ["l1", "l2"]),
        (["none"], True, ["none", "early_stopping"]),
    ],
)
def test_early_stopping_has_a_card_only_beside_the_unregularized_network(
    methods: list[str], early_stopping: bool, keys: list[str]
):
    grid = small_grid(methods, early_stopping=early_stopping, epochs=1)
    header, _ = decode(make_sent(grid).message())
    assert [card["key"] for card in header["cards"]] == keys
    assert header["n_networks"] == len(grid.experiment.regularizations)


def test_under_adamw_l2_is_called_weight_decay():
    grid = small_grid(["l2"], optimizer="adamw", learning_rate=0.01, epochs=1)
    header, _ = decode(make_sent(grid).message())
    assert [card["label"] for card in header["cards"]] == ["Weight decay"]


# ------------------------------------------------------------------------------ size


def test_a_message_that_many_ask_for_is_compressed_once(
    sent: EncodeArguments, monkeypatch: pytest.MonkeyPatch
):
    calls = []
    compress = zlib.compressobj
    monkeypatch.setattr("zlib.compressobj", lambda **k: calls.append(1) or compress(**k))
    sent = make_sent(sent.grid, sent.history)
    with ThreadPoolExecutor(8) as pool:
        messages = list(pool.map(lambda _: sent.message(), range(30)))
    assert len(set(messages)) == 1
    assert len(calls) == 1


def test_no_more_frames_are_sent_than_wanted(sent: EncodeArguments):
    header, arrays = decode(encode(sent, most=5))
    assert header["epochs"] == [0, 1, 2, 3, 4]
    assert len(arrays["parameters"]) == 5
    assert decode(sent.message(5))[0]["epochs"] == list(range(5, N_FRAMES))


def test_a_message_of_one_frame_is_mostly_that_frame(sent: EncodeArguments):
    _, n_rows, n_parameters = sent.history.parameters.shape
    message = encode(replace(sent, history=first_epochs(sent.history, 8)), 7)
    assert len(message) - frame_bytes(n_rows, n_parameters, SINGLE) < 25 * n_rows + 200


def test_the_page_opens_with_all_frames_in_single_precision_and_few_bytes():
    sent = make_sent(Scene().grid())
    assert sent.selector.frames == [(t, SINGLE) for t in range(101)]
    opening, rest = encode(sent, most=3), sent.message(3)
    assert sum(len(decode(message)[0]["epochs"]) for message in (opening, rest)) == 101
    assert len(opening) + len(rest) < 4_000_000


@pytest.mark.filterwarnings("error")
def test_a_number_that_is_not_finite_travels():
    data = regviz.DataSpec("plane", n_samples=60)
    training = regviz.TrainingSpec(learning_rate=10, epochs=20)
    grid = StrengthGrid.of(["none", "l2"], data, regviz.NetworkSpec((3,), "linear"), training)
    sent = make_sent(grid)
    header, arrays = decode(sent.message())
    assert header["diverged"] == sent.history.diverged.tolist()
    assert min(header["diverged"]) > 0
    assert np.isnan(arrays["metrics"][-1]).all()
    assert np.isfinite(arrays["parameters"]).all()


def test_the_domain_is_a_square_around_nearly_all_points(sent: EncodeArguments):
    dataset = sent.history.dataset
    low, high = domain(dataset)
    X = np.vstack([dataset.points(split)[0] for split in ("train", "test")])
    assert np.mean((low < X) & (high > X)) > 0.99
    assert low < dataset.X_train.min()
    assert high > dataset.X_train.max()


# ------------------------------------------------------------------------------ pins


@pytest.mark.parametrize("epoch", [0, 9, N_FRAMES - 1])
def test_a_still_has_the_networks_shown_at_one_epoch(sent: EncodeArguments, epoch: int):
    rows = sent.grid.rows({"l1": 6})
    header, arrays = decode(encode_still(sent.grid, rows, sent.history, epoch, "l2"))
    assert header["version"] == MESSAGE_VERSION
    assert header["focus"] == "l2"
    assert header["epochs"][-1] == epoch
    assert header["n_frames"] == len(header["epochs"])
    shown = sent.history.parameters[epoch, rows]
    assert np.array_equal(arrays["parameters"][-1], rounded(shown))
    for i, name in enumerate(SENT_METRICS):
        np.testing.assert_allclose(
            arrays["metrics"][-1, :, i], sent.history.metrics[name][epoch, rows], rtol=1e-6
        )
    cards = {card["key"]: card for card in header["cards"]}
    assert list(cards) == [*NAMES, "early_stopping"]
    (variant,) = cards["l1"]["variants"]
    assert variant["values"] == [sent.grid.strengths("l1")[6]]
    networks = [[variant["networks"] for variant in cards[key]["variants"]] for key in NAMES]
    assert networks == [[[i]] for i in range(len(NAMES))]


def test_a_still_has_the_frame_that_early_stopping_keeps(sent: EncodeArguments):
    rows = sent.grid.rows({})
    best = int(sent.history.early_stopping(sent.grid.patience)[0][rows[0]])
    assert 0 < best < N_FRAMES - 1
    for epoch, expected in ((best - 1, [best - 1]), (N_FRAMES - 1, [best, N_FRAMES - 1])):
        header, _ = decode(encode_still(sent.grid, rows, sent.history, epoch, "l2"))
        assert header["epochs"] == expected
        assert header["early_stopping"]["best"][0] == best


def test_a_still_does_not_depend_on_the_other_networks_of_the_run(sent: EncodeArguments):
    rows = sent.grid.rows({"l1": 6, "dropout": 0})
    alone = regviz.train(sent.grid.only(rows))
    stills = [
        encode_still(sent.grid, rows, history, N_FRAMES - 1, "l1")
        for history in (sent.history, alone)
    ]
    assert stills[0] == stills[1]


def test_a_still_of_the_opening_page_has_few_bytes():
    grid = Scene().grid()
    rows = grid.rows({})
    still = encode_still(grid, rows, regviz.train(grid.only(rows)), 1000, "l1")
    assert len(still) < 15_000


def test_the_card_of_elastic_net_says_whether_it_is_corrected_or_why_it_cannot_be():
    linear = Scene(regviz.DataSpec("plane"), regviz.NetworkSpec(()), methods=("elastic_net",))
    for scene, said, corrected in (
        (linear, "the naive one", False),
        (replace(linear, corrected=True), "the corrected one", True),
        (replace(linear, network=regviz.NetworkSpec((3,)), corrected=True), "hidden is ()", None),
    ):
        grid = scene.grid()
        dataset = regviz.make_dataset(grid.experiment.data)
        (history,) = initial_histories([grid.experiment], [dataset])
        header, _ = decode(encode(source_of(grid, history)))
        (card,) = header["cards"]
        assert said in card["about"]
        assert card["corrected"] is corrected
