"""The page in Debian's Chromium: one browser, and one `pos sim` that tests use in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_hands import LIMIT_MS, Hands, Terminal, visit
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"Chromium is not at {CHROMIUM}: apt-get install chromium")
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Terminal]]:
    """The terminal that tests use one after the other; a list, so that it can be replaced."""
    running = [Terminal(tmp_path_factory.mktemp("page") / "simulation", "--port", "0")]
    running[0].address()
    yield running
    running[0].end()


@pytest.fixture
def hands(browser: Browser, shared: list[Terminal], tmp_path: Path,
          request: pytest.FixtureRequest) -> Iterator[Hands]:
    """A visit to an idle terminal; a new one after a failed test."""
    if request.session.testsfailed:
        shared[0].end()
        shared[0] = Terminal(tmp_path / "simulation", "--port", "0")
        shared[0].address()
    with visit(browser, shared[0].where) as someone:
        someone.sees("请输入金额")
        yield someone
