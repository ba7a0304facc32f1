"""The `pos` command."""

import typer

main = typer.Typer(help="算盘 Suanpan: simulator, acquirer and tools.", no_args_is_help=True)


@main.callback()
def root() -> None:
    """算盘 Suanpan: simulator, acquirer and tools."""
