"""`pos flash` and `pos erase`: many devices at once, a line each, and an exit code that says all.

Exit codes: 0 all devices are verified; 1 a device failed; 2 wrong usage; 3 an image is missing or
corrupt; 4 no port was found; 5 the record was altered, is in use or cannot be written; 130 Ctrl-C.
"""

import asyncio
import getpass
import json
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from tools.workshop import manifest as manifests
from tools.workshop import station
from tools.workshop.faults import LANGUAGES, DeviceFault, Language
from tools.workshop.records import RecordError, Records

EXIT_FAILED, EXIT_IMAGE, EXIT_NO_PORT, EXIT_RECORD, EXIT_STOPPED = 1, 3, 4, 5, 130
RECORD = Path("devices.jsonl")

WORDS: dict[str, dict[Language, str]] = {
    "connecting": {"zh": "连接", "en": "connecting"},
    "writing": {"zh": "写入", "en": "writing"},
    "erasing": {"zh": "擦除", "en": "erasing"},
    "slower": {
        "zh": "{port}：{from} 波特不可靠，降到 {to}",
        "en": "{port}: {from} baud is not reliable; going on at {to}",
    },
    "verified": {"zh": "已写入并校验", "en": "written and verified"},
    "identity": {"zh": "核对身份", "en": "who it is"},
    "begin": {"zh": "清空", "en": "clearing"},
    "component": {"zh": "注入密钥", "en": "key"},
    "block": {"zh": "注入密钥", "en": "key"},
    "parameters": {"zh": "参数", "en": "parameters"},
    "ca": {"zh": "证书", "en": "certificate"},
    "card-key": {"zh": "卡组织公钥", "en": "card scheme key"},
    "operators": {"zh": "操作员", "en": "operators"},
    "journal": {"zh": "流水", "en": "journal"},
    "selftest": {"zh": "自检", "en": "self-test"},
    "finish": {"zh": "读回密钥", "en": "reading keys back"},
    "provisioned": {"zh": "已注入、自检并记录", "en": "keyed, tested and recorded"},
    "erased": {"zh": "已擦除", "en": "erased, and seen to be blank"},
    "waiting": {
        "zh": "请插入设备（Ctrl-C 结束）",
        "en": "plug in a device (Ctrl-C ends)",
    },
    "no port": {
        "zh": "没有找到端口。插好设备，或用 --port 指明。",
        "en": "No port was found. Plug a device in, or name its port with --port.",
    },
    "summary": {"zh": "成功 {good}，失败 {bad}", "en": "{good} good, {bad} failed"},
}

DONE = {"flash": "verified", "erase": "erased", "provision": "provisioned"}

Ports = Annotated[list[str] | None, typer.Option("--port", help="a port; repeat it for more")]
Loader = Annotated[
    Literal["stub", "rom"], typer.Option(help="esptool's stub, or the chip's ROM alone (slower)")
]
Reset = Annotated[
    Literal["default-reset", "usb-reset", "no-reset"],
    typer.Option(help="how esptool brings the chip into its loader"),
]
Baud = Annotated[
    int, typer.Option(min=1, help="fastest rate to try; slower ones follow by themselves")
]
RecordFile = Annotated[Path, typer.Option("--record", help="the record of all devices")]
Operator = Annotated[str, typer.Option(help="who does it (default: who is logged in)")]
Speech = Annotated[
    Literal["zh", "en", "auto"], typer.Option("--language", help="auto: as the system's")
]
AsJson = Annotated[bool, typer.Option("--json", help="print the outcomes as JSON, nothing else")]


def language_of(choice: str) -> Language:
    """The language to speak: the chosen one, or that of the system's locale."""
    if choice in LANGUAGES:
        return cast(Language, choice)
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return "zh" if (locale or "").startswith("zh") else "en"


def refuse_record(error: RecordError, language: Language) -> NoReturn:
    """End, and say why the record of all devices cannot be used."""
    print(f"pos: {'记录文件有问题：' if language == 'zh' else ''}{error}", file=sys.stderr)
    raise typer.Exit(EXIT_RECORD) from error


class Screen:
    """A line a port: a bar while it runs, then green or red words that stay."""

    def __init__(self, language: Language, silent: bool) -> None:
        self.language = language
        # Bars go to standard error when standard output is for a program.
        self.console = Console(stderr=silent, highlight=False)
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[port]}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}% {task.description}"),
            console=self.console,
            disable=silent,
        )
        self._silent = silent
        self._bars: dict[str, TaskID] = {}

    def word(self, key: str, **values: Any) -> str:
        """A phrase in this screen's language."""
        return WORDS[key][self.language].format(**values)

    def say(self, text: str, style: str = "") -> None:
        """A line that stays; nothing when a program listens."""
        if not self._silent:
            self.console.print(text, style=style, markup=False, soft_wrap=True)

    def show(self, port: str, event: dict[str, Any]) -> None:
        """Draw an event of a port (see `programmer` and `station`)."""
        if port not in self._bars:
            self._bars[port] = self.progress.add_task("", port=port, total=100)
        bar = self._bars[port]
        match event["event"]:
            case "connecting":
                text = f"{self.word('connecting')} ({event['rate']})"
                self.progress.update(bar, description=text, completed=0)
            case "progress":
                share = 100 * event["done"] / event["total"]
                text = self.word(event.get("doing", "writing"))
                self.progress.update(bar, description=text, completed=share)
            case "fallback":
                self.say(self.word("slower", port=port, **event), "yellow")
            case "ended":
                self.progress.remove_task(self._bars.pop(port))
                self.tell(event["outcome"])

    def tell(self, outcome: station.Outcome) -> None:
        """The result of a device in big words."""
        numbers = (outcome.port, outcome.serial, outcome.terminal, outcome.mac)
        who = " ".join(word for word in numbers if word)
        if outcome.fault is None:
            rate = f"{outcome.rate}, " if outcome.rate else ""
            done = self.word(DONE[outcome.task])
            self.say(f"✓ {who}  {done} ({rate}{outcome.seconds:.1f} s)", "bold green")
            if outcome.label or outcome.detail:
                self.say(f"    {outcome.label or outcome.detail}", "dim")
            return
        self.say(f"✗ {who}  {outcome.fault.says(self.language)}", "bold red")
        if outcome.detail:
            self.say(f"    {outcome.detail}", "dim")


def rates_from(baud: int) -> tuple[int, ...]:
    """The chosen rate and the usual ones below it."""
    return (baud, *(rate for rate in station.RATES if rate < baud))


def check_serial(serial: str) -> None:
    """BadParameter for a number to count on from that does not end in digits."""
    if serial.endswith("+") and not re.fullmatch(r".*\d\+", serial):
        raise typer.BadParameter("--serial: what ends in + must end in digits before it")


def flash(
    images: Annotated[Path, typer.Option(help="the manifest: files, offsets, SHA-256")] = Path(
        "build/esp32s3/workshop.json"
    ),
    port: Ports = None,
    serial: Annotated[
        str, typer.Option(help="serial number; with + at its end, count on from it")
    ] = "SP-000001+",
    again: Annotated[
        bool, typer.Option("--again", help="also a device that is finished already")
    ] = False,
    use_station: Annotated[
        bool, typer.Option("--station", help="go on with each device that is plugged in")
    ] = False,
    count: Annotated[int, typer.Option(min=0, help="--station: end after so many devices")] = 0,
    loader: Loader = "stub",
    reset: Reset = "default-reset",
    baud: Baud = station.RATES[0],
    record: RecordFile = RECORD,
    operator: Operator = "",
    language: Speech = "auto",
    as_json: AsJson = False,
) -> None:
    """Flash and verify all devices that are plugged in, and keep the record of each."""
    check_serial(serial)
    screen = Screen(language_of(language), as_json)
    try:
        manifest = manifests.load(images)
    except DeviceFault as failure:
        refuse(failure, screen, as_json)
    order = station.Order(
        task="flash",
        manifest=manifest,
        flash_size=manifest.flash_size,
        operator=operator or getpass.getuser(),
        serial=serial,
        again=again,
        loader=loader,
        reset=reset,
        rates=rates_from(baud),
    )
    if use_station:
        watch = station.Watch(port or [])
        carry_out(screen, order, record, as_json, watch=watch, count=count)
    else:
        carry_out(screen, order, record, as_json, ports=ports_or_end(port, screen, as_json))


def erase(
    port: Ports = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    flash_size: Annotated[int, typer.Option(min=1, help="of the flash, in MB")] = 16,
    loader: Loader = "stub",
    reset: Reset = "default-reset",
    baud: Baud = station.RATES[0],
    record: RecordFile = RECORD,
    operator: Operator = "",
    language: Speech = "auto",
    as_json: AsJson = False,
) -> None:
    """Erase the whole flash of devices, see that it is blank, and note it in the record."""
    screen = Screen(language_of(language), as_json)
    ports = ports_or_end(port, screen, as_json)
    if not yes:
        typer.confirm(f"{'擦除' if screen.language == 'zh' else 'Erase'} {', '.join(ports)}?",
                      abort=True, err=True)  # fmt: skip
    order = station.Order(
        task="erase",
        manifest=None,
        flash_size=flash_size << 20,
        operator=operator or getpass.getuser(),
        loader=loader,
        reset=reset,
        rates=rates_from(baud),
    )
    carry_out(screen, order, record, as_json, ports=ports)


def refuse(failure: DeviceFault, screen: Screen, as_json: bool) -> NoReturn:
    """End since the images cannot be used; no device was touched."""
    fault = failure.fault
    if as_json:
        tree = {"result": fault.name, "code": fault.code, "detail": failure.detail}
        print(json.dumps(tree | {"cause": fault.cause, "remedy": fault.remedy}))
    screen.say(f"✗ {fault.says(screen.language)}\n    {failure.detail}", "bold red")
    raise typer.Exit(EXIT_IMAGE)


def ports_or_end(named: list[str] | None, screen: Screen, as_json: bool) -> list[str]:
    """The named ports, each once, or all that are found; ends when there is none."""
    ports = list(dict.fromkeys(named or station.found_ports()))
    if not ports:
        if as_json:
            print(json.dumps({"result": "no-port", "devices": []}))
        screen.say(screen.word("no port"), "bold red")
        raise typer.Exit(EXIT_NO_PORT)
    return ports


def carry_out(
    screen: Screen,
    order: station.Work,
    record: Path,
    as_json: bool,
    ports: list[str] | None = None,
    watch: station.Watch | None = None,
    count: int = 0,
) -> None:
    """Do it, tell, and end with the exit code that fits."""
    outcomes: list[station.Outcome] = []

    def show(port: str, event: dict[str, Any]) -> None:
        if event["event"] == "ended":
            outcomes.append(event["outcome"])
        screen.show(port, event)

    stopped = False
    try:
        with Records(record) as records, screen.progress:
            if watch:
                screen.say(screen.word("waiting"))
                asyncio.run(station.serve(watch, order, records, show, count))
            else:
                asyncio.run(station.program(ports or [], order, records, show))
    except RecordError as error:
        refuse_record(error, screen.language)
    except KeyboardInterrupt:
        stopped = True
    bad = sum(outcome.fault is not None for outcome in outcomes)
    if as_json:
        devices = [outcome.as_json() for outcome in outcomes]
        print(json.dumps({"result": "failed" if bad else "ok", "devices": devices}))
    screen.say(screen.word("summary", good=len(outcomes) - bad, bad=bad))
    if stopped:
        raise typer.Exit(EXIT_STOPPED)
    if bad:
        raise typer.Exit(EXIT_FAILED)
