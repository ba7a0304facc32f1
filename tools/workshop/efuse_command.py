"""`pos efuse-plan`: the order of a product's eFuses, rehearsed; nothing is burnt.

Exit codes: 0 the order is good and every step did what it should; 1 it is refused; 2 wrong usage.
"""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tools.workshop.efuse_plan import (
    STEPS,
    Effect,
    OrderRefused,
    Rehearsal,
    RehearsalFailed,
    check_order,
)
from tools.workshop.faults import Language
from tools.workshop.flash_command import AsJson, Speech, language_of

EXIT_REFUSED = 1
WORDS: dict[str, dict[Language, str]] = {
    "title": {"zh": "eFuse 计划（虚拟演练）", "en": "eFuse plan, rehearsed on virtual eFuses"},
    "step": {"zh": "步骤", "en": "step"},
    "does": {"zh": "作用", "en": "what it does"},
    "effect": {"zh": "变化（R 可读，W 可写）", "en": "effect (R readable, W writeable)"},
    "nothing": {
        "zh": "什么都没有烧：以上全部发生在一个临时文件里，没有连接任何芯片。",
        "en": "Nothing was burnt: all of it happened in a temporary file; no chip was connected.",
    },
    "missing": {
        "zh": "这个顺序没有做完，还缺：{steps}。",
        "en": "This order is not finished, there is no {steps}.",
    },
    "refused": {"zh": "顺序不对，已拒绝：{step}。", "en": "Refused, the order is wrong: {step}."},
}


def command(
    order: Annotated[
        str, typer.Option(help="the steps, with commas between them (default: the right order)")
    ] = ",".join(STEPS),
    image: Annotated[
        Path | None, typer.Option(help="a boot loader to sign and verify (default: random bytes)")
    ] = None,
    language: Speech = "auto",
    as_json: AsJson = False,
) -> None:
    """Rehearse secure boot v2, flash encryption and the HMAC key on virtual eFuses."""
    tongue = language_of(language)
    names = [name.strip() for name in order.split(",") if name.strip()]
    try:
        check_order(names)
        effects = rehearse(names, _content(image) if image else b"")
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    except OrderRefused as refused:
        tell_refused(refused, tongue, as_json)
        raise typer.Exit(EXIT_REFUSED) from refused
    except RehearsalFailed as failed:
        tree = {"result": "failed", "burnt": False, "detail": str(failed)}
        print(json.dumps(tree) if as_json else f"✗ {failed}")
        raise typer.Exit(EXIT_REFUSED) from failed
    missing = [name for name in STEPS if name not in names]
    if as_json:
        steps = [{"step": e.step.name, "changes": e.changes} for e in effects]
        tree = {
            "result": "ok",
            "burnt": False,
            "said": WORDS["nothing"],
            "steps": steps,
            "missing": missing,
        }
        print(json.dumps(tree, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(table(effects, tongue))
    if missing:
        console.print(WORDS["missing"][tongue].format(steps=", ".join(missing)), style="bold red")
    console.print(WORDS["nothing"][tongue], style="bold yellow")


def _content(image: Path) -> bytes:
    """A boot loader's bytes; ValueError when it has none: random ones would be signed for it."""
    content = image.read_bytes()
    if not content:
        raise ValueError(f"{image} is empty")
    return content


def rehearse(names: list[str], image: bytes = b"") -> list[Effect]:
    """Do these steps in a folder that is gone afterwards, test keys and all."""
    with tempfile.TemporaryDirectory(prefix="efuse-") as folder:
        rehearsal = Rehearsal(Path(folder), image)
        return [rehearsal.run(name) for name in names]


def table(effects: list[Effect], language: Language) -> Table:
    """A row a step, a line an eFuse that it changes."""
    made = Table(title=WORDS["title"][language], title_justify="left", show_lines=True)
    for column in ("step", "does", "effect"):
        made.add_column(WORDS[column][language])
    for number, effect in enumerate(effects, 1):
        changes = "\n".join(f"{name}: {old} → {new}" for name, old, new in effect.changes)
        made.add_row(f"{number} {effect.step.name}", effect.step.title[language], changes)
    return made


def tell_refused(refused: OrderRefused, language: Language, as_json: bool) -> None:
    """Which step, and why."""
    if as_json:
        tree = {"result": "refused", "burnt": False, "step": refused.step, "why": refused.reason}
        print(json.dumps(tree, ensure_ascii=False))
        return
    console = Console(highlight=False)
    words = WORDS["refused"][language].format(step=refused.step)
    console.print(f"✗ {words}\n  {refused.reason[language]}", style="bold red")
    console.print(WORDS["nothing"][language], style="bold yellow")
