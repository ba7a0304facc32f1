"""Make the pictures of the documents from the running project: `python -m tools.sim.pictures`.

docs/images/page.png is the page after an approved sale, screen.png the display while a PIN is
typed (twice its size), receipt.png the merchant's copy. Needs Debian's chromium and the test
tools.
"""

import asyncio
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Page, async_playwright

from tools.sim import clock
from tools.sim.player import do_step
from tools.sim.scenario import Step
from tools.sim.server import PageServer
from tools.sim.session import Session
from tools.sim.simulation import Simulation
from tools.sim.timeline import Timeline

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", "--disable-quic"]
SIZE = (1600, 1000)
COLOURS = 200
# How much of the paper has come out of the mouth when the page's picture is taken, in rows.
TO_THE_AMOUNT = 850
EARLIER: list[tuple[str, Any]] = [
    ("key", "6 . 8 ENTER"), ("expect-screen", "请插卡"), ("card", {"tap": "quick"}),
    ("expect-print", {"contains": ["RMB 6.80"]}), ("card", {"remove": "quick"}),
    ("expect-screen", "请输入金额"),
]
# The timeline is shown where card, terminal and host talk.
TO_THE_REPLY = """[...document.querySelectorAll("#events [data-kind=iso]")].at(-1)
    .scrollIntoView({block: "center"})"""
UP_TO_THE_PIN: list[tuple[str, Any]] = [
    ("key", "1 2 . 3 4 ENTER"), ("expect-screen", "请插卡"), ("card", {"insert": "debit"}),
    ("expect-screen", "请输入密码"), ("key", "1 2 3"),
]
APPROVED: list[tuple[str, Any]] = [("key", "4 5 6 ENTER"), ("expect-screen", "交易成功")]


async def play(session: Session, steps: list[tuple[str, Any]]) -> None:
    """Do these steps with time running freely."""
    with session.free_running():
        for number, (word, argument) in enumerate(steps, 1):
            await do_step(session.stage, Step(word, argument, Path(__file__), number))


def keep(name: str, picture: Image.Image, colours: int = COLOURS) -> None:
    """Write one picture with a palette, so that it stays small."""
    path = FOLDER / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {picture.width} x {picture.height}, {path.stat().st_size // 1024} KB")


async def photograph(page: Page) -> Image.Image:
    """The page as it is now."""
    return Image.open(io.BytesIO(await page.screenshot()))


async def sitting(session: Session, address: str) -> None:
    """A visitor pays 12.34 by chip and PIN, after a small amount by tap; pictures on the way."""
    sim = session.sim
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        await page.goto(address)
        await page.wait_for_selector("#device[data-state=on]")
        await play(session, EARLIER)
        sim.printer.tear_off()
        await play(session, UP_TO_THE_PIN)
        await asyncio.sleep(0.5)
        shown = Image.frombytes("RGB", (320, 240), sim.lcd.pixels())
        keep("screen", shown.resize((640, 480), Image.Resampling.NEAREST))
        await play(session, APPROVED)
        with session.free_running():
            await sim.until(lambda: len(sim.printer.rows) >= TO_THE_AMOUNT)
        await asyncio.sleep(0.3)
        await page.evaluate(TO_THE_REPLY)
        keep("page", await photograph(page))
        await play(session, [("expect-screen", "请撕下商户存根")])
        keep("receipt", _with_margins(Image.open(io.BytesIO(sim.printer.png()))), 4)
        await browser.close()


def _with_margins(paper: Image.Image) -> Image.Image:
    """The paper as wide as it is, 57 mm for 48 mm of dots."""
    margin = 24
    sheet = Image.new("L", (paper.width + 2 * margin, paper.height + margin), 255)
    sheet.paste(paper.convert("L"), (margin, margin))
    return sheet


async def make() -> None:
    """A terminal of its own in a folder that goes afterwards, and the sitting."""
    with tempfile.TemporaryDirectory(prefix="suanpan-") as folder:
        start = {"language": "zh", "clock": True}
        sim = Simulation(seed=7, folder=Path(folder), start=start)
        session = Session(sim, Timeline(), start)
        server = PageServer(session)
        port = await server.start("127.0.0.1", 0)
        try:
            await session.bring_up()
            await sitting(session, f"http://127.0.0.1:{port}")
        finally:
            await server.stop()
            await sim.stop()


if __name__ == "__main__":
    if not Path(CHROMIUM).exists():
        sys.exit(f"pictures: Chromium is not at {CHROMIUM}: apt-get install chromium")
    clock.run(make())
