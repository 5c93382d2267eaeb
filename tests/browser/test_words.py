"""What the board writes of numbers."""

import pytest
from playwright.sync_api import Page


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (0, "w = 0.000"),
        (1.1754943508222875e-38, "w = 1.2e−38"),
        (-1.1754943508222875e-38, "w = −1.2e−38"),
        (0.0004, "w = 4.0e−4"),
        (0.0006, "w = 0.001"),
        (-0.25, "w = −0.250"),
        (1e5, "w = 1.0e5"),
    ],
)
def test_only_a_weight_of_zero_is_written_as_zero(blank: Page, weight: float, text: str):
    found = blank.evaluate(
        "async (w) => (await import(assets + '/board/words.js')).weight(w)", weight
    )
    assert found == text
