"""`pos report`: what was made, by whom, and which failures there were, from the record.

It only reads: a station may be writing at the same time. A try without an end counts as `running`;
the next station that opens the record makes it `interrupted`. The plot speaks English alone;
people's names may be Chinese where Debian's fonts-droid-fallback is installed.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tools.workshop.faults import FAULTS, Language
from tools.workshop.flash_command import (
    EXIT_IMAGE,
    EXIT_RECORD,
    RECORD,
    Speech,
    language_of,
    refuse_record,
)
from tools.workshop.records import Attempt, Book, Entry, RecordError, read

DROID = Path("/usr/share/fonts-droid-fallback/truetype/DroidSansFallback.ttf")
NUMBERS = ("serial", "MAC", "terminal", "image")
TITLES: dict[str, dict[Language, str]] = {
    "made": {"zh": "已完成的设备", "en": "Devices made"},
    "people": {"zh": "按操作员", "en": "By operator"},
    "faults": {"zh": "失败种类", "en": "Failures by kind"},
    "serial": {"zh": "序列号", "en": "serial"},
    "terminal": {"zh": "终端号", "en": "terminal"},
    "image": {"zh": "镜像", "en": "image"},
    "when": {"zh": "时间（UTC）", "en": "when (UTC)"},
    "who": {"zh": "操作员", "en": "operator"},
    "tries": {"zh": "次数", "en": "tries"},
    "good": {"zh": "成功", "en": "good"},
    "bad": {"zh": "失败", "en": "failed"},
    "running": {"zh": "进行中", "en": "running"},
    "code": {"zh": "代码", "en": "code"},
    "cause": {"zh": "原因", "en": "cause"},
    "efuses": {"zh": "eFuse", "en": "eFuses"},
    "chip": {"zh": "芯片", "en": "chip"},
    "encryption": {"zh": "闪存加密", "en": "flash encryption"},
    "boot": {"zh": "安全启动", "en": "secure boot"},
    "keys": {"zh": "密钥块用途", "en": "key blocks"},
    "on": {"zh": "开", "en": "on"},
    "off": {"zh": "关", "en": "off"},
    "none": {"zh": "均未使用", "en": "none used"},
    "not read": {"zh": "未读取", "en": "not read"},
    "foot": {
        "zh": "共 {entries} 条，修复 {repairs} 次；最后一个哈希：",
        "en": "{entries} entries, {repairs} repairs; the last hash is",
    },
    "torn": {
        "zh": "最后一行不完整：写入时中断，或被改动过。下一次烧录或注入会记下这一点。",
        "en": "The last line is torn: a crash cut it, or it was altered. "
        "The next flashing or provisioning notes that.",
    },
}


@dataclass(frozen=True)
class Summary:
    """What a record comes to.

    made: the last good try of each finished device, in order of time, and how many tries it took.
    terminals: MAC → terminal number of those that hold their keys.
    people: operator → (good, failed, running) tries. faults: fault name → tries that ended so.
    """

    made: list[tuple[Attempt, int]]
    terminals: dict[str, str]
    people: dict[str, tuple[int, int, int]]
    faults: dict[str, int]
    head: str
    entries: int
    repairs: int
    torn: bool


def summarise(book: Book) -> Summary:
    """Count a book. Tries at erasing count for people and faults, not for devices made."""
    tries: Counter[str] = Counter(a.mac for a in book.attempts.values() if a.task == "flash")
    last_good = {
        a.mac: a
        for a in book.attempts.values()
        if a.task == "flash" and a.result == "ok" and a.mac in book.made
    }
    made = sorted(last_good.values(), key=lambda a: a.ended)
    people: dict[str, tuple[int, int, int]] = {}
    for a in book.attempts.values():
        good, bad, running = people.get(a.operator, (0, 0, 0))
        people[a.operator] = (
            good + (a.result == "ok"),
            bad + (a.result not in ("ok", "")),
            running + (a.result == ""),
        )
    faults = Counter(a.result for a in book.attempts.values() if a.result not in ("ok", ""))
    return Summary(
        [(a, tries[a.mac]) for a in made],
        {mac: device.terminal for mac, device in book.provisioned.items()},
        people,
        dict(faults.most_common()),
        book.head,
        book.entries,
        book.repairs,
        book.torn,
    )


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary for a program."""
    return {
        "made": [
            {"serial": a.serial, "mac": a.mac, "terminal": summary.terminals.get(a.mac, ""),
             "image": a.image, "ended": a.ended, "operator": a.operator, "rate": a.rate,
             "tries": tries, "efuses": a.efuses or None}
            for a, tries in summary.made
        ],
        "operators": {
            who: {"good": good, "failed": bad, "running": running}
            for who, (good, bad, running) in summary.people.items()
        },
        "faults": summary.faults,
        "head": summary.head,
        "entries": summary.entries,
        "repairs": summary.repairs,
        "torn": summary.torn,
    }  # fmt: skip


def tables(summary: Summary, language: Language) -> list[Table]:
    """The four tables of the report."""

    def table(title: str, *columns: str) -> Table:
        words = TITLES[title][language]
        made = Table(title=words, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for column in columns:
            head = TITLES[column][language] if column in TITLES else column
            # On a screen of 80 columns the others are folded; nothing is cut off.
            made.add_column(head, no_wrap=column in NUMBERS, overflow="fold")
        return made

    made = table("made", "serial", "MAC", "terminal", "image", "when", "who", "tries")
    for a, tries in summary.made:
        when = a.ended[:16].replace("T", " ")
        terminal = summary.terminals.get(a.mac, "–")
        made.add_row(a.serial, a.mac, terminal, a.image[:8], when, a.operator, str(tries))
    efuses = table("efuses", "serial", "chip", "encryption", "boot", "keys")
    for a, _ in summary.made:
        efuses.add_row(a.serial, *(TITLES.get(w, {}).get(language, w) for w in _efuses(a.efuses)))
    people = table("people", "who", "good", "bad", "running")
    for who, counts in summary.people.items():
        people.add_row(who, *map(str, counts))
    faults = table("faults", "code", "cause", "tries")
    for name, count in summary.faults.items():
        faults.add_row(FAULTS[name].code, FAULTS[name].cause[language], str(count))
    return [made, efuses, people, faults]


def _efuses(efuses: Entry) -> list[str]:
    """The words of a device's row: chip, flash encryption, secure boot, blocks that hold keys."""
    if not efuses:
        return ["not read", "–", "–", "–"]
    used = [
        f"{block} {purpose}"
        for block, purpose in enumerate(efuses["key_purposes"])
        if purpose != "USER"
    ]
    switches = ("on" if efuses[name] else "off" for name in ("flash_encryption", "secure_boot"))
    return [efuses["chip"], *switches, ", ".join(used) or "none"]


def plot(summary: Summary, path: Path) -> None:
    """Draw devices made a day, by whom, and failures by kind: a PNG of 1200 × 500 pixels."""
    import matplotlib
    from matplotlib import font_manager
    from matplotlib.figure import Figure

    families = ["DejaVu Sans"]
    if DROID.exists():  # for people's names in Chinese
        font_manager.fontManager.addfont(DROID)
        families.append(font_manager.FontProperties(fname=DROID).get_name())
    with matplotlib.rc_context({"font.family": families}):
        _draw(summary, path, Figure)


def _draw(summary: Summary, path: Path, figure_class: Any) -> None:
    figure = figure_class(figsize=(12, 5), dpi=100, layout="constrained")
    days, kinds = figure.subplots(1, 2)
    dates = sorted({a.ended[:10] for a, _ in summary.made})
    below = [0] * len(dates)
    for who in sorted({a.operator for a, _ in summary.made}):
        a_day = Counter(a.ended[:10] for a, _ in summary.made if a.operator == who)
        counts = [a_day[date] for date in dates]
        days.bar(dates, counts, width=0.6, bottom=below, label=who)
        below = [low + count for low, count in zip(below, counts)]
    if dates:
        days.legend(title="operator")
    days.set_xlim(-1, max(len(dates), 4))
    keyed = sum(a.mac in summary.terminals for a, _ in summary.made)
    days.set_title(f"Devices made a day ({len(summary.made)} in all, {keyed} with keys)")
    names = list(summary.faults)[::-1]
    labels = [f"{FAULTS[name].code} {name}" for name in names]
    bars = kinds.barh(labels, [summary.faults[name] for name in names], color="#c0392b")
    kinds.bar_label(bars, padding=4)
    kinds.margins(x=0.1)
    kinds.set_ylim(-1, max(len(names), 4))
    kinds.set_title(f"Failed tries by kind ({sum(summary.faults.values())} in all)")
    for axis in (days.yaxis, kinds.xaxis):
        axis.get_major_locator().set_params(integer=True)
    figure.savefig(path, format="png")


def command(
    record: Annotated[Path, typer.Option("--record", help="the record of all devices")] = RECORD,
    png: Annotated[Path | None, typer.Option("--plot", help="draw it as a PNG too")] = None,
    language: Speech = "auto",
    json_only: Annotated[bool, typer.Option("--json", help="print it as JSON")] = False,
) -> None:
    """Show what was made, by whom, and what failed; checks the record's chain on the way."""
    if not record.exists():
        print(f"pos: there is no record at {record}", file=sys.stderr)
        raise typer.Exit(EXIT_RECORD)
    try:
        summary = summarise(read(record))
    except RecordError as error:
        refuse_record(error, language_of(language))
    try:
        if png:
            plot(summary, png)
    except OSError as error:
        print(f"pos: {png}: {error.strerror}", file=sys.stderr)
        raise typer.Exit(EXIT_IMAGE) from error
    if json_only:
        print(json.dumps(as_json(summary), ensure_ascii=False))
        return
    console, tongue = Console(highlight=False), language_of(language)
    for table in tables(summary, tongue):
        console.print(table)
    words = TITLES["foot"][tongue].format(entries=summary.entries, repairs=summary.repairs)
    console.print(f"{words}\n{summary.head}", soft_wrap=True)
    if summary.torn:
        console.print(TITLES["torn"][tongue], style="bold red", soft_wrap=True)
