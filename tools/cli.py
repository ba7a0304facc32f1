"""The `pos` command: each room of `tools/` has its own sub-command, imported only when used."""

import importlib
import sys

import typer

# Command → (module, its command function or typer app, one line of help)
COMMANDS = {
    "sim": ("tools.sim.sim_command", "command",
            "the terminal on the screen: acquirer, virtual board, page"),
    "play": ("tools.sim.play_command", "command", "play scenarios headless on the virtual clock"),
    "flash": ("tools.workshop.flash_command", "flash",
              "flash and verify many devices at once, and keep their record"),
    "provision": ("tools.workshop.provision_command", "provision",
                  "numbers, parameters and the master key into flashed devices"),
    "label": ("tools.workshop.provision_command", "labels", "draw devices' labels once more"),
    "efuse-plan": ("tools.workshop.efuse_command", "command",
                   "rehearse secure boot and flash encryption; burns nothing"),
    "erase": ("tools.workshop.flash_command", "erase", "erase devices' flash"),
    "report": ("tools.workshop.report_command", "command",
               "what was made, by whom, and what failed"),
    "rescue": ("tools.rescue", "command",
               "ask a terminal in safe mode what happened, give it a new image"),
    "emv": ("tools.emv.replay_command", "command",
            "play a recorded conversation with a card to the terminal's EMV library"),
    "decode": ("tools.emv.decode_command", "command",
               "TLV, TVR, lists, APDUs and ISO 8583 messages in words"),
    "cards": ("tools.sim.cards_command", "command",
              "the test cards: the deck, its authority's keys, a check of a card's file"),
    "acquirer": ("tools.acquirer.cli", "app", "the payment host by itself"),
}


def usage() -> str:
    """The list of commands, as `pos --help` shows it."""
    rows = "\n".join(f"  {name:<11} {text}" for name, (_, _, text) in COMMANDS.items())
    return f"算盘 Suanpan\n\nUsage: pos COMMAND …      (pos COMMAND --help tells more)\n\n{rows}"


def main() -> None:
    """Run one command; an unknown one ends with the list and exit code 2."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(usage())
        return
    name = arguments[0]
    if name not in COMMANDS:
        print(f"pos: unknown command '{name}'\n\n{usage()}", file=sys.stderr)
        sys.exit(2)
    module, attribute, _ = COMMANDS[name]
    target = getattr(importlib.import_module(module), attribute)
    if not isinstance(target, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command()(target)
        target = app
    target(args=arguments[1:], prog_name=f"pos {name}")
