"""Tests of the chooser: all answers lead to advice, and losses replace questions."""

import itertools
import math

import pytest

from regviz.analysis.chooser import MAX_QUESTIONS, QUESTIONS, Advice, Question, consult
from regviz.methods.catalogue import METHODS
from tests.support.chooser import all_answers

KEYS = ("none", "l1", "l2", "elastic_net")
# all orders of four losses, a tie, diverged networks, and too few losses to compare
LOSSES = [
    None,
    {},
    {"none": 0.5},
    {"elastic_net": 0.5, "l1": 0.4},
    {"none": 0.5, "elastic_net": 0.4},
    {"none": 0.5, "elastic_net": 0.6},
    *(
        dict(zip(KEYS, order, strict=True))
        for order in itertools.permutations((0.1, 0.2, 0.3, 0.4))
    ),
    dict.fromkeys(KEYS, 0.3),
    dict.fromkeys(KEYS, math.nan),
    dict.fromkeys(KEYS, math.inf),
    dict(zip(KEYS, (math.nan, 0.2, 0.3, 0.4), strict=True)),
    dict(zip(KEYS, (0.3, 0.2, math.nan, math.nan), strict=True)),
]


@pytest.mark.parametrize("losses", LOSSES)
def test_every_way_ends_in_advice_after_few_questions(losses):
    paths = list(all_answers(losses))
    assert len(paths) >= 4
    for answers, advice in paths:
        assert 1 <= len(answers) <= MAX_QUESTIONS
        assert advice.method in METHODS
        assert advice.reason
        assert advice.then
        assert advice.source


def test_every_question_is_reached_and_every_recommendation_given():
    paths = [path for losses in LOSSES for path in all_answers(losses)]
    assert {key for answers, _ in paths for key in answers} == set(QUESTIONS)
    assert {advice.method for _, advice in paths} == set(KEYS)
    assert max(len(answers) for answers, _ in paths) == MAX_QUESTIONS


@pytest.mark.parametrize(
    ("known", "method"),
    [("dense", "l2"), ("few", "l1"), ("unsure", "elastic_net"), ("clean", "none")],
)
def test_without_validation_or_compute_the_data_decide(known, method):
    for rest in ({"validate": "no"}, {"validate": "yes", "compute": "little"}):
        advice = consult({"data": known} | rest, dict.fromkeys(KEYS, 0.3))
        assert advice.method == method
        assert advice.duels == ()


@pytest.mark.parametrize(
    ("losses", "method", "compared"),
    [
        # elastic net has the lower loss: it is compared with L1
        ((0.5, 0.3, 0.1, 0.4), "l1", ["elastic_net", "l1"]),
        ((0.5, 0.45, 0.1, 0.4), "elastic_net", ["elastic_net", "elastic_net"]),
        ((0.5, 0.4, 0.1, 0.4), "l1", ["elastic_net", "l1"]),  # a tie goes to the simpler
        # it has the higher loss: L2 is compared, then none
        ((0.5, 0.1, 0.4, 0.6), "l2", ["none", "l2"]),
        ((0.5, 0.1, 0.55, 0.6), "none", ["none", "none"]),
        ((0.5, 0.1, 0.5, 0.5), "none", ["none", "none"]),
        # a diverged network counts as the higher loss
        ((math.nan, 0.5, 0.1, 0.4), "elastic_net", ["elastic_net", "elastic_net"]),
        ((0.5, 0.1, math.nan, math.nan), "none", ["none", "none"]),
    ],
)
def test_measured_losses_decide(losses, method, compared):
    answers = {"data": "unsure", "validate": "yes", "compute": "plenty"}
    advice = consult(answers, dict(zip(KEYS, losses, strict=True)))
    assert isinstance(advice, Advice)
    assert advice.method == method
    assert [duel.winner for duel in advice.duels] == compared
    by_key = dict(zip(KEYS, losses, strict=True))
    for duel in advice.duels:  # the advice quotes the given losses
        for key, loss in zip(duel.methods, duel.losses, strict=True):
            assert loss == (math.inf if math.isnan(by_key[key]) else by_key[key])


@pytest.mark.parametrize("losses", [None, {}, {"none": 0.5}, dict.fromkeys(KEYS, math.nan)])
def test_without_losses_to_decide_by_the_outcome_is_asked(losses):
    answers = {"data": "few", "validate": "yes", "compute": "plenty"}
    question = consult(answers, losses)
    assert isinstance(question, Question)
    assert question.key == "outcome"
    assert consult(answers | {"outcome": "net"}, losses).method == "elastic_net"
    assert consult(answers | {"outcome": "baseline"}, losses).method == "l2"


def test_answers_to_other_questions_are_ignored():
    advice = consult({"data": "few", "validate": "no", "compute": "plenty", "outcome": "net"})
    assert advice == consult({"data": "few", "validate": "no"})


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"weather": "fine"}, "answers must be one of 'data'"),
        ({"data": "sunny"}, r"answers\['data'\] must be one of 'dense'"),
    ],
)
def test_unknown_answers_are_refused(answers, message):
    with pytest.raises(ValueError, match=message):
        consult(answers)
