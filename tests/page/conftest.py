"""The page in Debian's Chromium: one `pos sim` for the folder, a browser, and hands for both."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

REPO = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]
START_LIMIT_S = 60
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
        self.said = ""

    def address(self) -> str:
        """Wait for the line with the address."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if found := re.search(r"http://\S+", line):
                return found.group(0)
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

    def part(self, name: str):
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
        """The terminal's display shows the text."""
        expect(self.part("lcd")).to_have_attribute("aria-label", re.compile(re.escape(text)))

    def prints(self, text: str) -> None:
        """The paper bears the text; the timeline tells it line by line."""
        line = self.part("timeline").locator("li.lane-print", has_text=text)
        expect(line.first).to_be_attached()

    def even(self) -> None:
        """The difference line says that both books agree."""
        expect(self.part("difference")).to_have_attribute("data-fen", "0")
        expect(self.part("difference")).to_have_class("even")

    def postings(self, *states: str) -> None:
        """The acquirer's ledger has exactly these, newest first."""
        rows = self.part("posting")
        expect(rows).to_have_count(len(states))
        for number, state in enumerate(states):
            expect(rows.nth(number)).to_contain_text(state)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"Chromium is not at {CHROMIUM}: apt-get install chromium")
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


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
    page.goto(address)
    expect(page.locator("#device")).to_have_attribute("data-state", re.compile("on|off"))
    yield Hands(page)
    context.close()
    assert not complaints


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[str]:
    """A new terminal for one test; the address of its page."""
    running = Terminal(tmp_path / "simulation", "--port", "0")
    try:
        yield running.address()
    finally:
        running.end()


@pytest.fixture
def hands(browser: Browser, terminal: str) -> Iterator[Hands]:
    """A visit to a new terminal, ten times as fast as life."""
    with visit(browser, terminal) as someone:
        someone.click("speed-10")
        someone.sees("请输入金额")
        yield someone
