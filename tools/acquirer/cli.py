"""`pos acquirer`: the payment host by itself, on real sockets."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tools.acquirer import pki, testbed
from tools.acquirer.errors import AcquirerError
from tools.acquirer.server import Acquirer

app = typer.Typer(help="The payment host by itself.", no_args_is_help=True)
console = Console()

_STATE = Path(__file__).resolve().parents[2] / "build" / "acquirer.sqlite"
_DEFAULT = f"sqlite:///{_STATE}"
_Database = Annotated[str, typer.Option(help="sqlite:///FILE or postgresql://USER@HOST/NAME")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = (
        testbed.PORT
    ),
    database: _Database = _DEFAULT,
    folder: Annotated[Path, typer.Option("--pki", help="Where keys and certificates are.")] = (
        pki.FOLDER
    ),
    certificate: Annotated[str, typer.Option(help="primary, backup, expired …")] = "primary",
) -> None:
    """Serve terminals until Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(host, port, database, folder, certificate))
    except (AcquirerError, pki.PkiError, OSError) as error:
        console.print(f"[red]{error}[/red]", soft_wrap=True)
        raise SystemExit(1) from None


@app.command()
def ledger(
    database: _Database = _DEFAULT,
    terminal: Annotated[str | None, typer.Option(help="Only this terminal's.")] = None,
) -> None:
    """Show what was posted."""
    try:
        acquirer = Acquirer(database)
    except AcquirerError as error:
        console.print(f"[red]{error}[/red]", soft_wrap=True)
        raise SystemExit(1) from None
    rows = acquirer.ledger(terminal)
    acquirer.close()
    columns = ("terminal", "batch", "trace", "type", "amount", "state", "card", "reference")
    table = Table(*columns)
    for row in rows:
        yuan = f"{row['amount'] // 100}.{row['amount'] % 100:02d}"
        table.add_row(*(yuan if name == "amount" else row[name] for name in columns))
    console.print(table)


async def _serve(host: str, port: int, database: str, folder: Path, certificate: str) -> None:
    context = pki.server_context(certificate, folder)
    acquirer = Acquirer(database)
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    try:
        server = await asyncio.start_server(acquirer.serve, host, port, ssl=context)
        address = server.sockets[0].getsockname()
        console.print(
            f"listening on {address[0]}:{address[1]}, CA {pki.ca_der(folder)}", soft_wrap=True
        )
        await done.wait()
        server.close()
        await acquirer.hang_up()
    finally:
        acquirer.close()
