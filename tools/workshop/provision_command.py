"""`pos provision` and `pos label`: numbers, papers and the master key into flashed devices.

Exit codes: 0 all devices have their keys; 1 a device failed; 2 wrong usage; 3 the shop's file, a
key block or a typed key is of no use; 4 no port; 5 the record; 130 Ctrl-C.
"""

import getpass
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from tools.workshop import custody, label, papers, station
from tools.workshop.faults import PAPERS_MISSING, DeviceFault
from tools.workshop.flash_command import (
    EXIT_IMAGE,
    EXIT_NO_PORT,
    RECORD,
    AsJson,
    Operator,
    Ports,
    RecordFile,
    Screen,
    Speech,
    carry_out,
    check_serial,
    language_of,
    ports_or_end,
    refuse,
    refuse_record,
)
from tools.workshop.provisioner import Injection
from tools.workshop.records import RecordError, read

TERMINAL_DIGITS = 8  # field 41


def provision(
    shop: Annotated[Path, typer.Option(help="the shop's file (YAML): parameters, CA, operators")],
    port: Ports = None,
    serial: Annotated[
        str, typer.Option(help="for a device without one; with + at its end, count on from it")
    ] = "SP-000001+",
    terminal: Annotated[
        str, typer.Option(help="terminal number, 8 characters; with +, count on from it")
    ] = "SP000001+",
    kcv: Annotated[
        str, typer.Option(help="the master key's check value, 6 hex digits (else it is asked)")
    ] = "",
    key_block: Annotated[
        Path | None, typer.Option(help="a TR-31 block; the components are its protection key's")
    ] = None,
    protection: Annotated[
        Literal["AES", "TDES"], typer.Option(help="the algorithm of that protection key")
    ] = "AES",
    parts: Annotated[
        Literal["all", "essential"],
        typer.Option(help="which parts must pass the self-test: essential ones need no devices"),
    ] = "all",
    again: Annotated[
        bool, typer.Option("--again", help="also a device that has its keys: they are replaced")
    ] = False,
    use_station: Annotated[
        bool, typer.Option("--station", help="go on with each device that is plugged in")
    ] = False,
    count: Annotated[int, typer.Option(min=0, help="--station: end after so many devices")] = 0,
    labels: Annotated[Path, typer.Option(help="folder of the labels, PNG and PDF")] = Path(
        "labels"
    ),
    record: RecordFile = RECORD,
    operator: Operator = "",
    language: Speech = "auto",
    as_json: AsJson = False,
) -> None:
    """Give devices their numbers, parameters, CA and master key; test, record and label them.

    Two people type the components, which are not shown; input that is no terminal is read the
    same way: name, component, check value, twice, then the key's check value without --kcv.
    """
    check_serial(serial)
    check_terminal(terminal)
    screen = Screen(language_of(language), as_json)
    ports = [] if use_station else ports_or_end(port, screen, as_json)
    try:
        read(record)  # before two people have typed for nothing
    except RecordError as error:
        refuse_record(error, screen.language)
    try:
        block = _read_block(key_block)
        papers_of_shop = papers.load(shop)
        key = custody.ask(
            custody.Desk(screen.language), kcv, block, protection if key_block else ""
        )
    except DeviceFault as failure:
        refuse(failure, screen, as_json)
    order = Injection(
        operator or getpass.getuser(), papers_of_shop, key, serial, terminal, again,
        parts == "all", labels,
    )  # fmt: skip
    try:
        if use_station:
            watch = station.Watch(port or [])
            carry_out(screen, order, record, as_json, watch=watch, count=count)
        else:
            carry_out(screen, order, record, as_json, ports=ports)
    finally:
        key.wipe()


def check_terminal(terminal: str) -> None:
    """BadParameter for what cannot become a terminal number."""
    check_serial(terminal)
    number = terminal.removesuffix("+")
    # It names the label's files too, so there is no room for a slash or a space.
    if len(number) != TERMINAL_DIGITS or not (number.isascii() and number.isalnum()):
        raise typer.BadParameter(f"--terminal: it has {TERMINAL_DIGITS} letters and digits")


def _read_block(path: Path | None) -> str:
    """The text of a key block's file; '' without one. DeviceFault PAPERS_MISSING."""
    if path is None:
        return ""
    try:
        block = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceFault(PAPERS_MISSING, f"{path}: {error}") from error
    if not block:
        raise DeviceFault(PAPERS_MISSING, f"{path}: it is empty")
    return block


def labels(
    names: Annotated[
        list[str] | None, typer.Argument(help="serial or terminal numbers, MACs; none: all")
    ] = None,
    folder: Annotated[Path, typer.Option(help="where they go")] = Path("labels"),
    record: RecordFile = RECORD,
) -> None:
    """Draw the labels of devices that have their keys once more, from the record."""
    try:
        book = read(record)
    except RecordError as error:
        refuse_record(error, language_of("auto"))
    wanted = set(names or [])
    drawn = 0
    for device in book.provisioned.values():
        numbers = (device.serial, device.mac, device.terminal)
        if wanted and not wanted.intersection(numbers):
            continue
        try:
            print(label.save(folder, *numbers))
        except OSError as error:
            print(f"pos: {error}", file=sys.stderr)
            raise typer.Exit(EXIT_IMAGE) from error
        drawn += 1
    if not drawn:
        print(f"pos: {record} has no such device with keys", file=sys.stderr)
        raise typer.Exit(EXIT_NO_PORT)
