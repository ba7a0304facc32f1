"""`pos sim`: the terminal on the screen, with its acquirer, in real time."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tools.acquirer.errors import AcquirerError
from tools.sim import clock
from tools.sim.actions import ActionError, take_in
from tools.sim.process import INTERPRETER
from tools.sim.provision import ProvisionFailed
from tools.sim.server import PageServer
from tools.sim.session import LANGUAGES, Session, remembered
from tools.sim.simulation import BOOKS, Simulation, SimulationError, forget
from tools.sim.timeline import Timeline

console = Console(highlight=False, soft_wrap=True)
FOLDER = Path("build/simulation")


class Refused(Exception):
    """The simulator cannot start; one sentence with the remedy."""


async def serve(session: Session, host: str, port: int | None, seconds: float | None) -> None:
    """Bring the terminal up and serve it until cancelled or for so many seconds.

    `port` None: without a page. Raises Refused when the port is taken.
    """
    page = PageServer(session) if port is not None else None
    watching = asyncio.create_task(session.watch(), name="watch")
    try:
        if page is not None and port is not None:
            port = await _listen(page, host, port)
        await session.bring_up()
        if session.trouble:
            console.print(session.trouble, markup=False, style="red")
        said = f"the terminal is at http://{host}:{port}" if page else "the terminal is ready"
        console.print(f"{said}   (Ctrl-C ends it)")
        await asyncio.sleep(seconds if seconds is not None else float(1 << 31))
    finally:
        watching.cancel()
        if page is not None:
            await page.stop()
        await session.sim.stop()


async def _listen(page: PageServer, host: str, port: int) -> int:
    try:
        return await page.start(host, port)
    except OSError as error:
        raise Refused(f"port {port} on {host} cannot be used ({error.strerror or error}): choose "
                      "another with --port, or --port 0 for a free one.") from None


async def _run(folder: Path, seed: int, start: dict[str, Any], database: str,
               host: str, port: int | None, seconds: float | None, cards: list[Path]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    for ending in (signal.SIGINT, signal.SIGTERM):  # also where a shell left SIGINT ignored
        loop.add_signal_handler(ending, task.cancel)
    sim = Simulation(seed=seed, folder=folder, start=start, database=database)
    sim.acquirer.reissue_cards()  # the cards' counters start with this process
    for path in cards:
        take_in(sim, path)
    session = Session(sim, Timeline(), start, own_books=database.endswith(BOOKS))
    sim.events.subscribe(_tell_crash)
    await serve(session, host, port, seconds)


def _tell_crash(event: dict[str, Any]) -> None:
    if event["kind"] == "crash":
        console.print(f"{event['error']}\nPower it on again on the page.", style="red",
                      markup=False)


def _chosen(folder: Path, language: str | None) -> str:
    """The language of the terminal in the folder, or the wanted one for a new terminal."""
    kept = str(remembered(folder).get("language", ""))
    if not (folder / "flash.bin").exists():
        return language or "zh"
    if language and kept and language != kept:
        raise Refused(f"the terminal in {folder} speaks {kept}: switch it on the page, or begin "
                      "with a new one by --new.")
    return kept or language or "zh"


Port = Annotated[int, typer.Option(help="the page's port; 0 takes a free one")]
Host = Annotated[str, typer.Option(help="the page's address")]
Headless = Annotated[
    bool, typer.Option("--headless", help="terminal and acquirer without a page")
]
Seconds = Annotated[float | None, typer.Option(help="end after so many seconds")]
Seed = Annotated[int, typer.Option(help="what all randomness starts from")]
Folder = Annotated[Path, typer.Option(help="keeps flash and books between runs")]
New = Annotated[bool, typer.Option("--new", help="forget the kept terminal and its books")]
Fresh = Annotated[bool, typer.Option("--fresh", help="a new device, as the workshop left it")]
Language = Annotated[str | None, typer.Option(help="zh or en, for a new terminal")]
Cards = Annotated[
    list[Path] | None,
    typer.Option("--card", metavar="FILE", help="a card of your own for the tray; repeatable"),
]
Database = Annotated[
    str | None, typer.Option(help="the acquirer's books, as a URL (default: a file in the folder)")
]


def command(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    headless: Headless = False,
    seconds: Seconds = None,
    seed: Seed = 1,
    folder: Folder = FOLDER,
    new: New = False,
    fresh: Fresh = False,
    language: Language = None,
    acquirer_database: Database = None,
    card: Cards = None,
) -> None:
    """The terminal on the screen: acquirer, virtual board, page."""
    try:
        if language not in (None, *LANGUAGES):
            raise Refused(f"no language '{language}'; there are {' and '.join(LANGUAGES)}.")
        if not INTERPRETER.exists():
            raise Refused(f"{INTERPRETER} is not built yet: run 'make build' first.")
        if new or fresh:
            forget(folder)
        start = {"language": _chosen(folder, language), "fresh": fresh, "clock": True}
        folder.mkdir(parents=True, exist_ok=True)
        database = acquirer_database or f"sqlite:///{(folder / BOOKS).resolve()}"
        console.print("starting the terminal …")
        page_port = None if headless else port
        clock.run(_run(folder, seed, start, database, host, page_port, seconds, card or []))
    except (
        Refused, ActionError, SimulationError, ProvisionFailed, AcquirerError, OSError,
    ) as error:  # fmt: skip
        console.print(f"pos sim: {error}", markup=False, style="red")
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        with contextlib.suppress(BrokenPipeError):
            console.print("\nended; the terminal keeps its flash.")
