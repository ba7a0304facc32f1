"""Writes docs/deck.md, the page with the deck, from the cards' own files.

Run as `python tools/sim/cards/page.py`; with `--check` it only says whether the page is as it
would be written (`make check` asks so).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tools.sim.cards import catalogue

PAGE = Path(__file__).resolve().parents[3] / "docs" / "deck.md"

_HEAD = """\
# The deck 测试卡

The cards of the simulator's tray. Each is a card application with a state, keys, certificates of a
test authority, counters and PIN tries; nothing of it is any scheme's. Online PIN 123456, offline
PIN 1234.

![The tray with every card's face](images/deck.png)

| card | ways | purpose | 用途 |
|---|---|---|---|
"""

_MIDDLE = """
How each application proves itself offline; `CA`, `issuer` and `card` are key lengths in bits.

| card | application | methods | CA | issuer | card | e |
|---|---|---|---|---|---|---|
"""

_FOOT = """
fDDA is the dynamic signature of a tap. `bad-oda` signs with a key that nobody certified: DDA, CDA
and fDDA fail on it, and its certificates are good.

- `pos cards` lists all this, `pos cards --json` for programs.
- `pos cards --keys DIR` writes the authority's public keys to `DIR/ca-keys.yaml`, as
  `pos emv --ca-keys` takes them.
- `pos cards --check FILE` reads a card's file, makes its keys and certificates, or names the line
  and what is wrong there. The deck's files in `tools/sim/cards/deck/` are examples.
- `pos sim --card FILE` puts such a card into the tray; a scenario presents it by its path, seen
  from the scenario: `card: {insert: cards/own.yaml}`. Its accounts are the issuer's as well.

This page is written by `python tools/sim/cards/page.py` from those files.
"""


def written(entries: list[dict[str, Any]]) -> str:
    """The whole page."""
    first, second = [], []
    for card in entries:
        purpose = card["purpose"]
        ways = ", ".join(card["interfaces"])
        first.append(f"| `{card['name']}` | {ways} | {purpose['en']} | {purpose['zh']} |")
        second += [_proof(card["name"], each) for each in card["applications"]]
    return _HEAD + "\n".join(first) + "\n" + _MIDDLE + "\n".join(second) + "\n" + _FOOT


def _proof(name: str, application: dict[str, Any]) -> str:
    held = application["authentication"]
    lead = f"| `{name}` | {application['label']} `{application['aid']}` |"
    if held is None:
        return f"{lead} none | | | | |"
    methods = [held["method"], *(["fDDA"] if held["fdda"] else [])]
    if application["offline_pin"]:
        methods.append(f"PIN under {held['pin'] or held['card']} bits")
    lengths = f"{held['index']}: {held['authority']} | {held['issuer']} | {held['card'] or ''}"
    return f"{lead} {', '.join(methods)} | {lengths} | {held['exponent']} |"


def main() -> None:
    """Write the page, or check it (exit code 1 when it is stale)."""
    text = written(catalogue.deck())
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(1)


if __name__ == "__main__":
    main()
