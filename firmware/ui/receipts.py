"""Receipts: one copy of a transaction as a document for the printer, 32 columns, bilingual.

The card is named by its masked number only; /I is an inserted chip, /C a tap. The merchant's copy
carries the signature line, or 免密免签 in its place.
"""

import escpos

from firmware.ledger.record import CHIP
from firmware.ui.words_receipt import TEXTS
from firmware.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.ledger.record import Txn

MERCHANT = "merchant-copy"
CARDHOLDER = "cardholder-copy"

_DOUBLE_COLUMNS = const(16)
_SIGNATURE_LINES = const(3)
_TEAR_LINES = const(4)


class Facts:
    """What a receipt needs beside the record.

    name, merchant, terminal: the shop's. moment: 'YYYY/MM/DD HH:MM:SS'. expiry: 'YYMM' or ''.
    """

    def __init__(
        self, name: str, merchant: str, terminal: str, moment: str, expiry: str
    ) -> None:
        self.name = name
        self.merchant = merchant
        self.terminal = terminal
        self.moment = moment
        self.expiry = expiry


def rmb(fen: int) -> str:
    """'RMB 1,234.56'; without separators where they would not fit in double size."""
    text = f"{fen // 100:,}.{fen % 100:02d}"
    if len(text) > _DOUBLE_COLUMNS - 4:
        text = text.replace(",", "")
    return "RMB " + text


def receipt(txn: "Txn", facts: Facts, copy: str, reprint: bool) -> bytes:
    """One copy, MERCHANT or CARDHOLDER, of a completed transaction."""
    paper = escpos.Document()
    _head(paper, txn, facts, copy)
    _card(paper, txn, facts)
    _transaction(paper, txn, facts)
    _remarks(paper, txn, reprint)
    _foot(paper, txn, copy)
    return paper.finish()


def _head(paper: escpos.Document, txn: "Txn", facts: Facts, copy: str) -> None:
    paper.align("center")
    paper.double(True)
    paper.line(TEXTS["title"])
    paper.double(False)
    paper.line(TEXTS[copy])
    paper.align("left")
    paper.rule()
    paper.line(TEXTS["merchant-name"])
    for line in escpos.wrap(facts.name):
        paper.line(line)
    paper.columns(TEXTS["merchant-number"], facts.merchant)
    paper.columns(TEXTS["terminal-number"], facts.terminal)
    paper.columns(TEXTS["operator"], txn.operator or "--")
    paper.rule()


def _card(paper: escpos.Document, txn: "Txn", facts: Facts) -> None:
    issuer, acquirer = txn.institutions[:11].strip(), txn.institutions[11:22].strip()
    if issuer:
        paper.columns(TEXTS["issuer"], issuer)
    if acquirer:
        paper.columns(TEXTS["acquirer"], acquirer)
    paper.line(TEXTS["card"])
    paper.bold(True)
    paper.columns("", txn.masked + (" /I" if txn.entry == CHIP else " /C"))
    paper.bold(False)
    if facts.expiry:
        paper.columns(TEXTS["expiry"], f"20{facts.expiry[:2]}/{facts.expiry[2:]}")


def _transaction(paper: escpos.Document, txn: "Txn", facts: Facts) -> None:
    paper.line(TEXTS["type"])
    paper.bold(True)
    paper.size(1, 2)
    paper.columns("", TEXTS[txn.kind])
    paper.size(1, 1)
    paper.bold(False)
    paper.columns(TEXTS["batch"], f"{txn.batch:06d}")
    paper.columns(TEXTS["trace"], f"{txn.trace:06d}")
    if txn.authorisation_code:
        paper.columns(TEXTS["authorisation"], txn.authorisation_code)
    if txn.reference:
        paper.columns(TEXTS["reference"], txn.reference)
    paper.line(TEXTS["moment"])
    paper.columns("", facts.moment)
    paper.line(TEXTS["amount"])
    paper.double(True)
    paper.columns("", rmb(txn.approved_amount))
    paper.double(False)
    paper.rule()


def _remarks(paper: escpos.Document, txn: "Txn", reprint: bool) -> None:
    paper.line(TEXTS["remarks"])
    if reprint:
        paper.bold(True)
        paper.line(TEXTS["reprint"])
        paper.bold(False)
    if txn.partial:
        paper.columns(TEXTS["partial"], rmb(txn.amount))
    if txn.cryptogram:
        paper.line(("TC:" if txn.entry == CHIP else "ARQC:") + txn.cryptogram)
    if txn.tvr:
        paper.columns("TVR:" + txn.tvr, "TSI:" + txn.tsi if txn.tsi else "")
    if txn.aid:
        paper.line("AID:" + txn.aid)
    if txn.atc:
        paper.line("ATC:" + txn.atc)
    if txn.label:
        paper.columns(TEXTS["label"], txn.label)


def _foot(paper: escpos.Document, txn: "Txn", copy: str) -> None:
    paper.rule()
    if txn.no_cvm:
        paper.align("center")
        paper.bold(True)
        paper.line(TEXTS["no-cvm"])
        paper.bold(False)
        paper.align("left")
    elif copy == MERCHANT:
        paper.line(TEXTS["signature"])
        paper.feed(_SIGNATURE_LINES)
        paper.rule("_")
    for text in (TEXTS["agreement"], TEXTS["agreement-en"]):
        for line in escpos.wrap(text):
            paper.line(line)
    paper.align("center")
    paper.line(TEXTS["test"])
    paper.line(TEXTS["test-en"])
    paper.line("Suanpan " + VERSION)
    paper.feed(_TEAR_LINES)
