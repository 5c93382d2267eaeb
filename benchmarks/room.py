"""Measure a class's room: seconds until an answer is counted on the teacher's screen.

    python -m benchmarks.room                      sixty students
    python -m benchmarks.room --students 20

The teacher's page is in a real browser, and the students' are synthetic visitors
(`benchmarks.visitors`), each with the fragment that its page repeats. All are on this machine. The
answers come at random times; the k-th answer is counted when the teacher's page shows k.
"""

import argparse
import asyncio
import random
import time
from typing import Any

from playwright.async_api import Page, async_playwright

from benchmarks.screens import Board
from benchmarks.server import Server
from benchmarks.tables import Row, quantile, show
from benchmarks.visitors import Visitor
from devtools.browsers import find_chromium

QUESTION, ANSWERS = "Which will have the most zeros?", ("L1 penalty", "L2 penalty", "Dropout")
SECONDS = 30.0  # in which all students answer
PATIENCE = 30.0  # seconds after the last answer
WATCH = r"""() => {
  window.counted = [];
  const now = () => performance.timeOrigin + performance.now();
  const look = () => {
    const found = /(\d+) answers? so far/.exec(document.body.innerText);
    const n = found ? Number(found[1]) : 0;
    while (window.counted.length < n) window.counted.push(now());
  };
  const all = { childList: true, subtree: true, characterData: true };
  new MutationObserver(look).observe(document.body, all);
}"""


async def open_room(page: Page, address: str) -> str:
    """Open the page and a room, ask the question, and return the room's code."""
    await page.goto(address)
    await page.get_by_role("button", name="Share").click()
    await page.get_by_role("button", name="Open a room").click()
    code = (await page.get_by_text("Code:").inner_text()).split()[-1]
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Ask a question").click()
    await page.get_by_label("Question", exact=True).fill(QUESTION)
    for i, answer in enumerate(ANSWERS):
        await page.get_by_label(f"Answer {i + 1}").fill(answer)
    await page.get_by_role("button", name="Ask", exact=True).click()
    await page.get_by_text("0 answers so far").wait_for()
    await page.evaluate(WATCH)
    return code


async def measure(n_students: int, port: int) -> tuple[list[float | None], list[str]]:
    """Return the seconds until each answer was counted, None if it was not, and all errors."""
    with Server("app.py", port) as server:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=find_chromium(), args=["--no-sandbox"]
            )
            page = await browser.new_page(bypass_csp=True)
            code = await open_room(page, server.address)
            students = [Visitor(server.address, Board) for _ in range(n_students)]
            for student in students:
                await student.open(f"room={code}")
                await asyncio.sleep(0.1)
            await asyncio.sleep(10)
            sent: list[float] = []
            random.seed(0)

            async def answer(student: Visitor) -> None:
                await asyncio.sleep(SECONDS * random.random())
                if await student.click(random.choice(ANSWERS)):
                    sent.append(1000 * time.time())

            await asyncio.gather(*map(answer, students))
            await page.get_by_text(f"{n_students} answers so far").wait_for(timeout=1000 * PATIENCE)
            counted: list[Any] = await page.evaluate("window.counted")
            errors = [error for student in students for error in student.errors]
            await asyncio.gather(*(student.close() for student in students))
            await browser.close()
            errors += server.tracebacks()
    if len(sent) < n_students:
        errors.append(f"{n_students - len(sent)} students had no button to click")
    counted += [None] * (len(sent) - len(counted))
    pairs = zip(sorted(sent), counted, strict=False)
    return [None if end is None else (end - begin) / 1000 for begin, end in pairs], errors


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure a class's room.")
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--port", type=int, default=8599)
    options = parser.parse_args()
    seconds, errors = asyncio.run(measure(options.students, options.port))
    rows = [
        Row(f"{name} until an answer is counted", quantile(seconds, share), "s")
        for name, share in (("median", 0.5), ("p95", 0.95), ("slowest", 1.0))
    ]
    show(f"a room of {options.students} students", rows, errors)


if __name__ == "__main__":
    main()
