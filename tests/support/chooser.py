"""Enumeration of all answers to the questions of the chooser."""

from collections.abc import Iterator

from regviz.analysis.chooser import Advice, consult


def all_answers(losses, answers=None) -> Iterator[tuple[dict[str, str], Advice]]:
    """Yield every sequence of answers that leads to advice, with the advice."""
    answers = answers or {}
    found = consult(answers, losses)
    if isinstance(found, Advice):
        yield answers, found
        return
    assert found.key not in answers, "a question came twice"
    assert len(found.answers) >= 2
    for key, _ in found.answers:
        yield from all_answers(losses, answers | {found.key: key})
