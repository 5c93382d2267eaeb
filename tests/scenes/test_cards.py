"""Tests of `regviz.scenes.cards`: the grouping of any experiment's networks."""

from dataclasses import replace

import regviz
from regviz import Regularization
from regviz.methods.labels import labels
from regviz.scenes.cards import grid_cards, history_cards
from regviz.scenes.scene import Scene

NET = Regularization.elastic_net


def cards_of(*rows: Regularization, **experiment) -> dict[str, dict]:
    cards = history_cards(regviz.Experiment(regularizations=rows, **experiment))
    return {card["key"]: dict(card) for card in cards}


def networks(card: dict) -> list[list[int]]:
    return [list(variant["networks"]) for variant in card["variants"]]


def test_the_networks_of_a_grid_are_grouped_and_ordered_as_by_the_grid():
    grid = Scene(methods=("none", "l1", "l2", "dropout", "max_norm", "group_lasso")).grid()
    found = {card["key"]: card for card in history_cards(grid.experiment)}
    expected = {card["key"]: card for card in grid_cards(grid, tuple(grid.rows({})))}
    assert [*found] == [*expected]
    for key, card in expected.items():
        same = ("label", "about", "colour", "second", "early_stopped")
        same += ("standard", "standard_variant", "strength_index", "variant_index")
        assert [found[key][name] for name in same] == [card[name] for name in same]
        for ours, theirs in zip(found[key]["variants"], card["variants"], strict=True):
            assert {**ours, "networks": ()} == {**theirs, "networks": ()}
            assert tuple(ours["networks"]) == theirs["networks"]


def test_rows_in_any_order_become_one_slider_for_each_method():
    rows = [Regularization(l1=s) for s in (0.1, 0.001, 0.01)]
    rows[1:1] = [Regularization(max_norm=c) for c in (0.5, 2.0)]
    cards = cards_of(*rows)
    assert [*cards] == ["l1", "max_norm"]
    assert networks(cards["l1"]) == [[3, 4, 0]]
    assert networks(cards["max_norm"]) == [[2, 1]]  # a smaller radius is the stronger one
    assert cards["l1"]["strength_index"] == 1


def test_equal_regularizations_have_one_place_that_of_the_first():
    one, two = Regularization(l1=0.01), Regularization(l2=0.1)
    cards = cards_of(one, two, one, Regularization(), Regularization(onset=7))
    assert networks(cards["l1"]) == [[0]]
    assert networks(cards["none"]) == [[3]]


def test_a_second_parameter_has_a_slider_of_its_own():
    cards = cards_of(NET(0.1, 0.5), NET(0.01, 0.5), NET(0.2, 0.25))
    (card,) = (card for key, card in cards.items() if key == "elastic_net")
    assert networks(card) == [[2], [1, 0]]
    assert [variant["text"] for variant in card["variants"]] == ["25 % L1", "50 % L1"]
    assert [variant["values"] for variant in card["variants"]] == [[0.2], [0.01, 0.1]]


def test_combinations_are_cards_by_the_names_of_their_parts():
    pairs = [(0.1, 0.2), (0.1, 0.4), (0.1, 0.3), (0.01, 0.2)]
    rows = [Regularization(l2=l2, drop_rate=rate) for l2, rate in pairs]
    cards = cards_of(*rows, Regularization(l1=0.1, input_drop_rate=0.1))
    # the parameter with more numbers is the strength
    card = cards["l2_dropout"]
    assert card["label"] == "L2 + dropout"
    assert card["second"]["label"] == "L2"
    assert networks(card) == [[3], [0, 2, 1]]
    assert card["variants"][1]["strengths"] == ["drop 20 %", "drop 30 %", "drop 40 %"]
    assert [variant["text"] for variant in card["variants"]] == ["λ₂ = 0.01", "λ₂ = 0.1"]
    assert cards["l1_input_dropout"]["label"] == "L1 + input dropout"


def test_numbers_beside_the_strength_keep_different_networks_apart():
    nets = [replace(NET(0.1, share), drop_rate=0.1) for share in (0.2, 0.8)]
    norms = [Regularization(max_norm=1.0, drop_rate=rate, l1=0.1) for rate in (0.0, 0.1)]
    cards = cards_of(*nets, *norms)
    shown = [k for card in cards.values() for each in networks(card) for k in each]
    assert sorted(shown) == [0, 1, 2, 3]


def test_a_later_onset_and_a_correction_have_cards_of_their_own():
    cards = cards_of(Regularization(l1=0.1), Regularization(l1=0.1, onset=100))
    assert [(key, card["label"]) for key, card in cards.items()] == [
        ("l1", "L1"),
        ("l1_from_100", "L1 from epoch 100"),
    ]
    data, network = regviz.DataSpec("plane"), regviz.NetworkSpec(hidden=())
    rows = NET(0.1), replace(NET(0.1), corrected=True)
    cards = cards_of(*rows, data=data, network=network)
    assert [*cards] == ["elastic_net", "elastic_net_corrected"]


def test_under_adamw_l2_is_weight_decay_as_in_figures():
    training = regviz.TrainingSpec("adamw")
    rows = Regularization(l2=0.1), Regularization(l2=0.2, decoupled=True)
    cards = cards_of(*rows, training=training)
    assert cards["l2"]["label"] == "Weight decay"
    assert networks(cards["l2"]) == [[0, 1]]
    names = {
        label.name for label in labels(regviz.Experiment(training=training, regularizations=rows))
    }
    assert names == {"Weight decay"}


def test_two_cards_have_different_colours():
    rows = [Regularization(l2=0.1), Regularization(l2=0.1, drop_rate=0.1), NET(0.1)]
    colours = [card["colour"]["light"] for card in cards_of(*rows).values()]
    assert len(set(colours)) == len(rows)


def test_early_stopping_is_a_card_where_it_can_be():
    assert [*cards_of(Regularization())] == ["none", "early_stopping"]
    assert [*cards_of(Regularization(l1=0.1))] == ["l1"]
    data = regviz.DataSpec(validation_fraction=0)
    assert [*cards_of(Regularization(), data=data)] == ["none"]
    experiment = regviz.Experiment()
    assert [card["key"] for card in history_cards(experiment, early_stopping=False)] == ["none"]
