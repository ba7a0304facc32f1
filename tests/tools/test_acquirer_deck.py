"""Card files and the command line: the deck as accounts, its real cards, the host by itself."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from acquirer_host import NOW, till, write_deck
from acquirer_terminal import Card, Terminal, read_frame
from pyemv import tlv

from tools.acquirer import deck, pki
from tools.acquirer.cli import app
from tools.acquirer.errors import DeckError
from tools.acquirer.server import Acquirer
from tools.sim import cards


@pytest.mark.parametrize(
    "facts, complaint",
    [
        ({"pan": "62258800"}, "bad.yaml: pan is not 13 to 19 digits"),
        ({"pan": None}, "bad.yaml: pan"),
        ({"expiry": "Dec 30"}, "bad.yaml: expiry is not 4 digits"),
        ({"expiry": None}, "bad.yaml: expiry is not 4 digits"),
        ({"balance": 10.5}, "bad.yaml: balance is not a whole number of fen"),
        ({"balance": True}, "bad.yaml: balance"),
        ({"status": "sulking"}, "bad.yaml: status 'sulking'; there are active, expired"),
        ({"imk": "0123"}, "bad.yaml: imk is not 16 bytes"),
        ({"imk": "nonsense"}, "bad.yaml: imk is not hexadecimal"),
        ({"psn": 100}, "bad.yaml: psn is not 2 digits"),
        ({"applications": "debit"}, "bad.yaml: applications is not a list"),
        ({"scripts": {73: "00"}}, "bad.yaml: scripts maps 71 and 72"),
        ({"scripts": {71: "00" * 128}}, "bad.yaml: scripts are longer"),
        ({"scripts": {71: "9F18040000"}}, "bad.yaml: an issuer script is not made of whole"),
    ],
)
def test_a_bad_card_file_is_named(tmp_path: Path, facts: dict, complaint: str) -> None:
    write_deck(tmp_path, [{"name": "bad", "pan": "6225880000099999", "balance": 1, **facts}])
    with pytest.raises(DeckError, match=complaint):
        deck.load(tmp_path)


def test_files_that_are_no_mapping_or_no_yaml(tmp_path: Path) -> None:
    for text in ("- a\n- list\n", "{unfinished", "\x00"):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(DeckError, match="bad.yaml"):
            deck.load(tmp_path)


def test_two_cards_with_one_number(tmp_path: Path) -> None:
    pan = "6225880000099999"
    write_deck(tmp_path, [{"name": "one", "pan": pan}, {"name": "two", "pan": pan}])
    with pytest.raises(DeckError, match="two.yaml: one has the same card number"):
        deck.load(tmp_path)


def test_no_deck_at_all(tmp_path: Path) -> None:
    assert deck.load(tmp_path / "nowhere") == {}


def test_a_card_shows_no_secret(tmp_path: Path) -> None:
    write_deck(tmp_path, [{"name": "one", "pan": "6225880000099999", "pin": "987654"}])
    (card,) = deck.load(tmp_path).values()
    assert "987654" not in repr(card) and "issuer_key" not in repr(card)


def test_every_card_of_the_deck_has_an_account() -> None:
    named = {card.name for card in deck.load().values()}
    assert named == set(cards.names())


def test_a_card_that_comes_later_gets_its_accounts(tmp_path: Path) -> None:
    (file,) = write_deck(tmp_path / "own", [{"name": "own", "pan": "6225880000099999"}]).iterdir()
    acquirer = Acquirer(deck_folder=write_deck(tmp_path / "deck"))
    before = {row["card"] for row in acquirer.accounts()}
    acquirer.issue_card(file)
    assert {row["card"] for row in acquirer.accounts()} - before == {"622588******9999"}
    with pytest.raises(DeckError, match="own.yaml: own has the same card number"):
        acquirer.issue_card(file)
    acquirer.close()


PDOL = ("9F66", "9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37")


def tap(card: cards.Card, amount: int) -> dict[str, str]:
    """Tap a card of the deck; its elements and the terminal's, hex by tag."""
    card.reset("contactless")
    assert card.apdu(bytes.fromhex("00A4040008A00000033301010100"))[-2:] == b"\x90\x00"
    ours = {
        "9F66": "26804080" if amount <= 100_000 else "26C04080", "9F02": f"{amount:012d}",
        "9F03": "0" * 12, "9F1A": "0156", "95": "0000000000", "5F2A": "0156", "9A": "261123",
        "9C": "00", "9F37": "A1B2C3D4",
    }  # fmt: skip
    values = bytes.fromhex("".join(ours[tag] for tag in PDOL))
    data = bytes((0x83, len(values))) + values
    answer = card.apdu(b"\x80\xa8\0\0" + bytes((len(data),)) + data + b"\0")
    assert answer[-2:] == b"\x90\x00"
    given = tlv.decode(answer[:-2], flatten=True, convert=lambda tag, value: value.hex().upper())
    return ours | {"9F27": "80"} | given


def tapped_sale(pos: Terminal, elements: dict[str, str], amount: int, pin: str | None) -> dict:
    """A sale's fields for what a tapped card gave."""
    pan, _, rest = elements["57"].rstrip("F").partition("D")
    wanted = ("9F26", "9F27", "9F10", "9F36", "82", *PDOL[1:])
    chip = "".join(f"{tag}{len(elements[tag]) // 2:02X}{elements[tag]}" for tag in wanted)
    fields = pos.sale_fields(Card(pan=pan, expiry=rest[:4]), amount, pin=pin, mode="07")
    return fields | {35: elements["57"].rstrip("F"), 23: "0" + elements["5F34"], 55: chip}


@pytest.mark.parametrize(
    "name, amount, pin, code",
    [
        ("quick", 1234, None, "00"),
        ("debit", 1234, "123456", "00"),
        ("debit", 1234, "654321", "55"),
        ("phone", 500_000, None, "00"),
        ("quick", 500_000, None, "55"),
        ("pickup", 1234, None, "04"),
        ("expired", 1234, None, "54"),
    ],
)
async def test_the_decks_own_cards_are_believed(
    name: str, amount: int, pin: str | None, code: str
) -> None:
    """Cryptogram and track of the card models, as the terminal would pass them on."""
    acquirer = Acquirer(clock=lambda: NOW)
    pos = till(acquirer)
    await pos.sign_on()
    elements = tap(cards.load(name), amount)
    fields = tapped_sale(pos, elements, amount, pin)
    reply = await pos.ask("0200", fields, pos.mac_key)
    assert reply[39] == code and pos.mac_good
    acquirer.close()


# ---- the command line


async def test_the_host_by_itself(tmp_path: Path) -> None:
    command = (
        "from tools.acquirer.cli import app; app()", "serve", "--port", "0",
        "--database", f"sqlite:///{tmp_path}/own.db",
    )  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", *command, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            told = (await process.stdout.readline()).decode()
        port = int(told.split(",")[0].rpartition(":")[2])
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=pki.client_context(), server_hostname="acquirer.suanpan.test"
        )

        async def send(frame: bytes) -> bytes | None:
            writer.write(len(frame).to_bytes(2, "big") + frame)
            return await read_frame(reader)

        assert (await Terminal(send).sign_on())[39] == "00"
        writer.close()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["ledger", "--database", "mysql://x"], "no supported database"),
        (["serve", "--certificate", "nonsense"], "no certificate of kind"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        app(arguments)
    assert caught.value.code == 1 and complaint in capsys.readouterr().out
