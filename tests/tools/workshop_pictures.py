"""The pictures of docs/workshop.md: real runs of the commands on model chips and devices.

`.venv/bin/python tests/tools/workshop_pictures.py` writes them to docs/images. They show seconds
and temporary numbers, so they are looked at and not compared.
"""

import html
import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO), str(Path(__file__).parent)]

from bench_console import Device, Fault  # noqa: E402
from bench_hands import bench_of, release  # noqa: E402
from bench_shop import COMPONENTS, KCV, shop  # noqa: E402
from rich.cells import cell_len, chop_cells  # noqa: E402
from rich.console import Console  # noqa: E402
from typer import Exit  # noqa: E402

from tools.workshop import label, manifest, papers, report_command  # noqa: E402
from tools.workshop.chip import Script  # noqa: E402
from tools.workshop.custody import MasterKey  # noqa: E402
from tools.workshop.efuse_command import rehearse, table  # noqa: E402
from tools.workshop.efuse_plan import STEPS  # noqa: E402
from tools.workshop.faults import Language  # noqa: E402
from tools.workshop.flash_command import Screen, carry_out  # noqa: E402
from tools.workshop.provisioner import Injection  # noqa: E402
from tools.workshop.records import read  # noqa: E402
from tools.workshop.station import Order, Work  # noqa: E402
from tools.workshop.wire import Wear  # noqa: E402

IMAGES = REPO / "docs" / "images"
CHIPS = (Script(), Script(wear=Wear(baud_limit=460_800)), Script(unplug_at_block=9),
         Script(flash_size=8 << 20), Script())  # fmt: skip
PORTS = "/dev/ttyACM"
SIZES = (20_000, 3072, 240_000)


TEXT = re.compile(
    r'<text (class="[^"]+") x="([0-9.]+)" (y="[0-9.]+") textLength="([0-9.]+)"([^>]*)>'
    r"([^<]+)</text>"
)


def save(console: Console, name: str, title: str) -> None:
    """What the console holds as docs/images/NAME.svg.

    rich gives each text the width of as many narrow characters. Chinese ones are twice as wide:
    each run of them gets its own place, and is a little larger to fill it.
    """

    def placed(found: re.Match[str]) -> str:
        named, x, y, length, rest = found.groups()[:5]
        text = html.unescape(found[6])
        cell, at, runs = float(length) / len(text), float(x), ""
        for wide, characters in groupby(text, lambda character: cell_len(character) > 1):
            run = "".join(characters)
            size = f'textLength="{cell * cell_len(run):g}"' + wide * ' font-size="22"'
            words = html.escape(run).replace("\xa0", "&#160;")
            runs += f'<text {named} x="{at:g}" {y} {size}{rest}>{words}</text>'
            at += cell * cell_len(run)
        return runs

    drawn = TEXT.sub(placed, console.export_svg(title=title))
    (IMAGES / f"{name}.svg").write_text(drawn, encoding="utf-8")


class Recorded(Screen):
    """A screen that is kept: its lines, and the bars as they stood in the middle."""

    def __init__(self, language: Language, named: dict[str, str]) -> None:
        super().__init__(language, silent=False)
        self.kept = Console(record=True, width=100, file=tempfile.TemporaryFile("w"))
        self._named = named
        self._begun: set[str] = set()
        self._drawn = False

    def say(self, text: str, style: str = "") -> None:
        """Keep a line, with the ports as a workshop has them."""
        for port, name in self._named.items():
            text = text.replace(port, name)
        # A terminal breaks a line of Chinese anywhere; rich does between words alone.
        lines = chop_cells(text, self.kept.width) if self.language == "zh" else [text]
        self.kept.print("\n".join(lines), style=style, markup=False, highlight=False)

    def show(self, port: str, event: dict[str, Any]) -> None:
        """Draw, and keep the bars once, when all have begun."""
        if event["event"] == "ended":
            event["outcome"].port = self._named[event["outcome"].port]
        super().show(self._named[port], event)
        if event["event"] in ("progress", "ended"):
            self._begun.add(port)
        middle = event["event"] == "progress" and event["done"] * 5 > event["total"] * 2
        all_begun = self._begun.issuperset(p for p, name in self._named.items() if name)
        if middle and all_begun and not self._drawn:
            self._drawn = True
            self.kept.print(self.progress.get_renderable())

    def save(self, name: str, title: str) -> None:
        """As docs/images/NAME.svg."""
        save(self.kept, name, title)


def run(screen: Recorded, order: Work, folder: Path, ports: list[str]) -> None:
    """Do the work and keep the screen, whatever its exit code."""
    try:
        carry_out(screen, order, folder / "record", False, ports=ports)
    except Exit:
        pass


def flash(folder: Path, language: Language) -> None:
    """`pos flash` on five boards, three of which have something."""
    images = manifest.load(release(folder / "images", SIZES))
    with bench_of(folder / "bench", *CHIPS) as (_, ports, _):
        named = {str(port): f"{PORTS}{n}" for n, port in enumerate(ports)}
        screen = Recorded(language, named)
        order = Order("flash", images, images.flash_size, "lin", "SP-000001+")
        run(screen, order, folder, list(named))
    screen.save(f"workshop-flash-{language}", "pos flash")


def provision(folder: Path, language: Language) -> None:
    """`pos provision` on three devices, one without paper."""
    faults = (Fault(), Fault(prelude="board.broken.add('printer')"), Fault())
    macs = [mac.replace(":", "").upper() for mac in read(folder / "record").made]
    place = folder / "ports"
    place.mkdir()
    devices = [
        Device(place / f"usb{n}", mac, fault) for n, (mac, fault) in enumerate(zip(macs, faults))
    ]
    named = {str(device.port): f"{PORTS}{n}" for n, device in enumerate(devices)}
    key = MasterKey(KCV, [bytearray.fromhex(part) for part in COMPONENTS], ["Wang", "Li"])
    order = Injection("lin", papers.load(shop(folder)), key, "SP-000001+", "SP000001+",
                      labels=Path(folder / "labels"))  # fmt: skip
    screen = Recorded(language, named | {str(folder) + "/": ""})
    run(screen, order, folder, list(named)[:3])
    for device in devices:
        device.unplug()
    screen.save(f"workshop-provision-{language}", "pos provision")


def others(folder: Path, language: Language) -> None:
    """The report of that day, and the eFuse plan."""
    console = Console(record=True, width=100, file=tempfile.TemporaryFile("w"))
    summary = report_command.summarise(read(folder / "record"))
    for made in report_command.tables(summary, language):
        console.print(made)
    save(console, f"workshop-report-{language}", "pos report")
    report_command.plot(summary, IMAGES / "workshop-report.png")
    console = Console(record=True, width=120, file=tempfile.TemporaryFile("w"))
    console.print(table(rehearse(list(STEPS)), language))
    save(console, f"workshop-efuses-{language}", "pos efuse-plan")


def main() -> None:
    """All of them, in both languages."""
    for language in ("en", "zh"):
        with tempfile.TemporaryDirectory() as name:
            flash(Path(name), language)
            provision(Path(name), language)
            others(Path(name), language)
    with tempfile.TemporaryDirectory() as name:
        label.save(Path(name), "SP-000001", "7c:df:a1:00:00:00", "SP000001").rename(
            IMAGES / "workshop-label.png"
        )


if __name__ == "__main__":
    main()
