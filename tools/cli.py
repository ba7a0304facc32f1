"""The `pos` command: each room of `tools/` mounts its own sub-commands here."""

import importlib

import click
import typer

# Command → (module, attribute, help). Modules are loaded when used: `pos --help` stays quick.
COMMANDS = {
    "sim": ("tools.sim.sim_command", "command"),
    "play": ("tools.sim.play_command", "command"),
    "acquirer": ("tools.acquirer.cli", "app"),
    "cards": ("tools.sim.cards.cli", "app"),
}
HELP = {
    "sim": "the terminal on the screen: acquirer, virtual board, page",
    "play": "play scenarios headless on the virtual clock",
    "acquirer": "the payment host by itself",
    "cards": "list the deck, make test keys",
}


class Rooms(click.Group):
    """A command group that imports a command's module only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and build one command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        target = getattr(importlib.import_module(module), attribute)
        if not isinstance(target, typer.Typer):
            app = typer.Typer(add_completion=False)
            app.command()(target)
            target = app
        built = typer.main.get_command(target)
        built.name = cmd_name
        return built

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands for --help, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, HELP[name]) for name in COMMANDS])


@click.group(cls=Rooms)
def main() -> None:
    """算盘 Suanpan: simulator, acquirer and tools of the payment terminal."""
