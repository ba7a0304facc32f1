"""A `pos sim` in a process of its own, and the hands and eyes of a person at its page."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Locator, Page, expect

REPO = Path(__file__).resolve().parents[2]
LIMIT_MS = 20_000


class Terminal:
    """A `pos sim` in a process of its own, and where its page is."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from tools.cli import main; main()", "sim", "--folder",
             str(folder), *arguments],
            cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.said = self.where = ""

    def address(self) -> str:
        """Wait for the line with the address."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if found := re.search(r"http://\S+", line):
                self.where = found.group(0)
                return self.where
        pytest.fail(f"pos sim ended before its page was there:\n{self.said}")

    def firmware(self) -> int:
        """The process number of the running firmware."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[-1])

    def end(self, limit: float = 5) -> str:
        """Ctrl-C; what it said to the end. A process that does not end in time is a failure."""
        self.process.send_signal(signal.SIGINT)
        try:
            rest, _ = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            pytest.fail(f"pos sim did not end within {limit} s of Ctrl-C")
        return self.said + rest


class Hands:
    """What a person at the page does and sees."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.shown: list[str] = []
        self.printed: list[str] = []
        self.before = 0
        page.on("websocket", lambda ws: ws.on("framereceived", self._hear))

    def _hear(self, frame: str | bytes) -> None:
        """What the page is told: the display's text and the printed lines."""
        message = json.loads(frame) if isinstance(frame, str) else {}
        if message.get("type") == "shown":
            self.shown.append(message["text"])
        for event in message.get("events", []):
            if event["kind"] == "print":
                self.printed.append(event["text"])

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        """Until it holds; the page stays alive meanwhile."""
        for _ in range(LIMIT_MS // 20):
            if holds():
                return
            self.page.wait_for_timeout(20)
        pytest.fail(f"{what} never came; the display showed {self.shown[-4:]}")

    def part(self, name: str) -> Locator:
        """The element with that test id."""
        return self.page.get_by_test_id(name)

    def click(self, *names: str) -> None:
        """Click one part after the other."""
        for name in names:
            self.part(name).click()

    def keys(self, keys: str) -> None:
        """Click the terminal's keys."""
        self.click(*(f"key-{key}" for key in keys.split()))

    def sees(self, text: str) -> None:
        """The display shows the text now, or did since the last look."""
        def seen() -> bool:
            at = next((n for n, shown in enumerate(self.shown) if text in shown), None)
            if at is not None:
                del self.shown[:at]
            return at is not None

        self._wait(f"'{text}'", seen)

    def prints(self, text: str) -> None:
        """The text is on the paper of this visit."""
        self._wait(f"'{text}' on paper", lambda: any(text in line for line in self.printed))

    def even(self) -> None:
        """The difference line says that both books agree."""
        expect(self.part("difference")).to_have_attribute("data-fen", "0")
        expect(self.part("difference")).to_have_class("even")

    def postings(self, *states: str) -> None:
        """The acquirer's ledger has exactly these since this visit began, newest first."""
        rows = self.part("posting")
        expect(rows).to_have_count(self.before + len(states))
        for number, state in enumerate(states):
            expect(rows.nth(number)).to_contain_text(state)

    def pay(self, amount: str, card: str = "debit", pin: str = "1 2 3 4 5 6") -> None:
        """Amount, card, PIN: up to the online message."""
        self.keys(f"{amount} ENTER")
        self.sees("请插卡")
        self.click(f"insert-{card}")
        self.sees("请输入密码")
        self.pin(pin.split(), self.keys)

    def pin(self, digits: Sequence[str], press: Callable[[str], None]) -> None:
        """A PIN as people type it, looking at the dots: one key is kept at a time, by design."""
        for count, digit in enumerate(digits, 1):
            press(digit)
            self.sees("●" * count)
        press("ENTER")

    def finish(self, card: str = "debit") -> None:
        """Both copies, and the card back."""
        self.sees("请撕下商户存根")
        self.keys("ENTER")
        self.sees("取")
        self.click(f"remove-{card}")
        self.sees("请输入金额")

    def give_up(self, card: str = "debit") -> None:
        """Out of a payment that failed: the card back, and what the screen says acknowledged."""
        self.click(f"remove-{card}")
        self.keys("CANCEL")
        self.sees("请输入金额")

    def play(self, *steps: dict[str, Any]) -> None:
        """Let the page play these steps as fast as it goes, and see that all of them held."""
        self.click("speed-max")
        text = yaml.safe_dump({"name": "a setting", "steps": list(steps)}, allow_unicode=True)
        self.part("script").fill(text)
        self.click("scenario-play")
        expect(self.part("progress")).to_have_class("passed")
        self.click("speed-1")


# A payment of 1.00 up to the online message, and what comes after an approved one.
PAYING: list[dict[str, Any]] = [
    {"key": "1 00 ENTER"}, {"expect-screen": "请插卡"}, {"card": {"insert": "debit"}},
    {"expect-screen": "输入密码"}, {"key": "1 2 3 4 5 6 ENTER"},
]
FINISHING: list[dict[str, Any]] = [
    {"expect-screen": "请撕下商户存根"}, {"key": "ENTER"}, {"card": {"remove": "debit"}},
    {"expect-screen": "请输入金额"},
]


@contextlib.contextmanager
def visit(browser: Browser, address: str) -> Iterator[Hands]:
    """A visit to the page; any error on its console fails the test."""
    context = browser.new_context(
        viewport={"width": 1600, "height": 1000}, accept_downloads=True,
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    hands = Hands(page)
    page.goto(address)
    expect(page.locator("#device")).to_have_attribute("data-state", re.compile("on|off"))
    expect(page.get_by_test_id("difference")).to_have_attribute("data-fen", re.compile("."))
    hands.before = hands.part("posting").count()
    hands.printed.clear()
    yield hands
    context.close()
    assert not complaints
