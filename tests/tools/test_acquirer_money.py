"""The host's rules about money: every refusal, every repetition, every reversal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from acquirer_host import balance, open_host, till
from acquirer_terminal import DEBIT, Card, Terminal, encode
from sqlalchemy import text

from tools.acquirer.server import Acquirer
from tools.acquirer.store import open_store

OPENING = 1_000_000


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Acquirer]:
    acquirer = open_host(tmp_path)
    yield acquirer
    acquirer.close()


@pytest.fixture
async def pos(host: Acquirer) -> Terminal:
    terminal = till(host)
    await terminal.sign_on()
    return terminal


def posted(host: Acquirer) -> list[tuple]:
    return [(row["type"], row["amount"], row["state"]) for row in host.ledger("SP000001")]


async def test_a_sale_is_approved_posted_and_answered_to_the_card(
    host: Acquirer, pos: Terminal
) -> None:
    card = Card()
    reply = await pos.sale(card, 1234)
    assert reply[39] == "00" and pos.mac_good
    assert card.accepts(reply[55], "00")
    assert (reply[12], reply[13]) == ("093015", "1123")
    assert len(reply[37]) == 12 and len(reply[38]) == 6
    assert (reply[3], reply[4], reply[11]) == ("000000", "000000001234", "000002")
    assert reply[60] == "2200000100060" and 2 not in reply and 35 not in reply
    (row,) = host.ledger("SP000001")
    assert row["card"] == "622588******1234" and row["reference"] == reply[37]
    assert (row["batch"], row["trace"], row["authorisation"]) == ("000001", "000002", reply[38])
    assert posted(host) == [("sale", 1234, "approved")]
    assert balance(host) == OPENING - 1234


async def test_amounts_beyond_thirty_bits(host: Acquirer, pos: Terminal) -> None:
    """PROTOCOL.md, "Numbers and time": small integers are 31 bits on the device."""
    card = Card(pan="6225880000080409")
    assert (await pos.sale(card, 2**30 + 1))[39] == "00"
    assert (await pos.sale(card, 2**33))[39] == "00"
    assert balance(host, "0409") == 999_999_999_999 - 2**30 - 1 - 2**33


async def test_too_little_money(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    reply = await pos.sale(card, OPENING + 1)
    assert reply[39] == "51" and 38 not in reply and card.accepts(reply[55], "51")
    assert (await pos.sale(card, OPENING))[39] == "00"
    assert (await pos.sale(card, 1))[39] == "51"
    assert posted(host) == [("sale", OPENING, "approved")]


async def test_no_amount(host: Acquirer, pos: Terminal) -> None:
    assert (await pos.sale(Card(), 0))[39] == "13"


@pytest.mark.parametrize(
    "pan, code",
    [
        ("6225880000080060", "54"),
        ("6225880000080300", "54"),
        ("6225880000080078", "62"),
        ("6225880000080201", "41"),
        ("6225880000080086", "04"),
        ("6225880000099999", "14"),
    ],
)
async def test_a_card_that_may_not_pay(host: Acquirer, pos: Terminal, pan: str, code: str) -> None:
    expiry = {"6225880000080060": "2406", "6225880000080300": "2610"}.get(pan, "3012")
    reply = await pos.sale(Card(pan=pan, expiry=expiry), 100)
    assert reply[39] == code and pos.mac_good and posted(host) == []


# ---- who speaks: terminal, merchant, keys, MAC, batch


async def test_a_wrong_mac(host: Acquirer, pos: Terminal) -> None:
    fields = pos.sale_fields(Card(), 1234)
    reply = await pos.ask("0200", fields, bytes(range(16)))
    assert reply[39] == "A0" and 38 not in reply and posted(host) == []
    assert (await pos.ask("0200", fields))[39] == "A0", "no MAC at all"
    assert (await pos.ask("0200", fields, pos.mac_key))[39] == "00", "nothing was remembered"


async def test_every_bit_of_a_message_is_covered(host: Acquirer, pos: Terminal) -> None:
    frame = encode("0200", pos.sale_fields(Card(), 1234), pos.mac_key)
    amount_at = frame.index(bytes.fromhex("000000001234"))
    forged = bytearray(frame)
    forged[amount_at + 5] ^= 0x01
    assert pos.read("0200", await pos.send(bytes(forged)))[39] == "A0"


async def test_an_unknown_terminal(host: Acquirer, pos: Terminal) -> None:
    pos.number = "SP999999"
    reply = await pos.sale(Card(), 1234)
    assert reply[39] == "97" and 64 not in reply
    assert (await pos.sign_on())[39] == "97"


async def test_another_merchant(host: Acquirer, pos: Terminal) -> None:
    pos.merchant = "898610154119999"
    assert (await pos.sale(Card(), 1234))[39] == "03"
    assert (await pos.sign_on())[39] == "03"


async def test_nobody_signed_on(host: Acquirer) -> None:
    terminal = till(host)
    terminal.mac_key = terminal.pin_key = bytes(range(16))
    reply = await terminal.sale(Card(), 1234)
    assert reply[39] == "99" and 64 not in reply


async def test_another_batch(host: Acquirer, pos: Terminal) -> None:
    pos.batch = "000007"
    reply = await pos.sale(Card(), 1234)
    assert reply[39] == "77" and pos.mac_good and posted(host) == []


# ---- what the card and its holder prove


async def test_a_wrong_pin_three_times_then_no_more(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    codes = [(await pos.sale(card, 100, pin="654321"))[39] for _ in range(4)]
    assert codes == ["55", "55", "55", "75"]
    reply = await pos.sale(card, 100)
    assert reply[39] == "75" and card.accepts(reply[55], "75"), "not even the right one"
    assert posted(host) == []
    host.reissue_cards()
    assert (await pos.sale(Card(), 100))[39] == "00"


async def test_a_right_pin_starts_the_count_again(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    for pin, code in [("1111", "55"), ("2222", "55"), ("123456", "00"), ("3333", "55")]:
        assert (await pos.sale(card, 100, pin=pin))[39] == code
    assert host.accounts()[0]["pin_failures"] == 1


async def test_a_pin_block_under_another_key(host: Acquirer, pos: Terminal) -> None:
    pos.pin_key = bytes(range(1, 17))
    assert (await pos.sale(Card(), 100))[39] == "99"
    assert host.accounts()[0]["pin_failures"] == 0


async def test_a_pin_block_of_another_card(host: Acquirer, pos: Terminal) -> None:
    fields = pos.sale_fields(Card(), 100) | {52: pos.pin_block("123456", "6225880000080011")}
    assert (await pos.ask("0200", fields, pos.mac_key))[39] in ("55", "99")
    assert posted(host) == []


@pytest.mark.parametrize("number, value", [(22, "052"), (53, None), (53, "1600000000000000")])
async def test_a_pin_that_contradicts_its_fields(
    host: Acquirer, pos: Terminal, number: int, value: str | None
) -> None:
    fields = pos.sale_fields(Card(), 100)
    fields = {n: text for n, text in (fields | {number: value}).items() if text is not None}
    assert (await pos.ask("0200", fields, pos.mac_key))[39] in ("30", "99")
    assert posted(host) == []


@pytest.mark.parametrize(
    "pan, amount, mode, results, code",
    [
        (DEBIT, 1000, "05", "1F0002", "55"),  # inserted, debit: always
        (DEBIT, 100_000, "07", "1F0002", "00"),  # tapped, at the limit
        (DEBIT, 100_001, "07", "1F0002", "55"),  # tapped, above it
        (DEBIT, 100_001, "05", "440302", "00"),  # the card checked an offline PIN
        (DEBIT, 100_001, "05", "440301", "55"),  # and it was wrong
        ("6225880000080177", 100_001, "07", "1F0002", "00"),  # the phone checked
        ("6225880000080011", 200_000, "05", "1E0300", "00"),  # credit: a signature
    ],
)
async def test_who_needs_a_pin(
    host: Acquirer, pos: Terminal, pan: str, amount: int, mode: str, results: str, code: str
) -> None:
    card = Card(pan=pan, results=results)
    assert (await pos.sale(card, amount, pin=None, mode=mode))[39] == code
    assert all(row["pin_failures"] == 0 for row in host.accounts())


async def test_a_wrong_cryptogram(host: Acquirer, pos: Terminal) -> None:
    for card in (Card(key=bytes(range(16))), Card(version="13")):
        reply = await pos.sale(card, 100)
        assert reply[39] == "59" and 55 not in reply
    fields = pos.sale_fields(card := Card(), 100)
    assert (await pos.ask("0200", fields | {55: card.field_55(100, t9F26="11" * 8)}, pos.mac_key))[
        39
    ] == "59"
    assert posted(host) == []


async def test_a_counter_used_before(host: Acquirer, pos: Terminal) -> None:
    card = Card(atc=10)
    assert (await pos.sale(card, 100))[39] == "00"
    for replayed in (10, 5):
        card.atc = replayed
        assert (await pos.sale(card, 100))[39] == "63"
    assert (await pos.sale(card, 100))[39] == "63"
    card.atc = 11
    assert (await pos.sale(card, 100))[39] == "00"


async def test_applications_count_for_themselves(host: Acquirer, pos: Terminal) -> None:
    pan = "6225880000080052"
    assert (await pos.sale(Card(pan=pan, psn="01"), 100))[39] == "00"
    assert (await pos.sale(Card(pan=pan, psn="02"), 100, pin=None))[39] == "00"
    assert (await pos.sale(Card(pan=pan, psn="03"), 100))[39] == "30"
    assert balance(host, "0052") == OPENING - 200


@pytest.mark.parametrize(
    "changed, code",
    [
        ({"t9F02": "000000000099"}, "13"),
        ({"t9F27": "40"}, "30"),
        ({"t9C": "20"}, "30"),
        ({"t5F2A": "0840"}, "30"),
        ({"t9F36": ""}, "30"),
        ({"t9F37": "1234"}, "30"),
        ({"t95": "0000000000"}, "59"),
        ({"t9F10": "06"}, "59"),
    ],
)
async def test_chip_data_that_does_not_fit(
    host: Acquirer, pos: Terminal, changed: dict[str, str], code: str
) -> None:
    fields = pos.sale_fields(card := Card(), 100) | {55: card.field_55(100, **changed)}
    assert (await pos.ask("0200", fields, pos.mac_key))[39] == code
    assert posted(host) == []


@pytest.mark.parametrize(
    "changed, code",
    [
        ({55: "9F26"}, "30"),
        ({55: None}, "30"),
        ({22: "011"}, "57"),
        ({2: None, 35: None}, "30"),
        ({35: "6225880000080011D3012220000000000"}, "30"),
        ({35: "6225880000071234D2912220000000000"}, "30"),
        ({35: "6225880000071234"}, "30"),
        ({35: None, 14: "2912"}, "54"),
        ({23: "002"}, "30"),
        ({23: "101"}, "30"),
        ({49: "840"}, "30"),
        ({4: None}, "13"),
        ({25: None}, "30"),
        ({60: "2200000"}, "30"),
        ({60: "0100000100060"}, "30"),
        ({3: "900000"}, "40"),
    ],
)
async def test_fields_that_contradict_each_other(
    host: Acquirer, pos: Terminal, changed: dict[int, str | None], code: str
) -> None:
    fields = pos.sale_fields(Card(), 100) | changed
    fields = {number: text for number, text in fields.items() if text is not None}
    assert (await pos.ask("0200", fields, pos.mac_key))[39] == code
    assert posted(host) == []


async def test_the_track_alone_is_enough(host: Acquirer, pos: Terminal) -> None:
    fields = pos.sale_fields(Card(), 100)
    del fields[2], fields[14]
    assert (await pos.ask("0200", fields, pos.mac_key))[39] == "00"


async def test_issuer_scripts_come_with_an_approval(host: Acquirer, pos: Terminal) -> None:
    card = Card(pan="6225880000080128")
    reply = await pos.sale(card, 100)
    assert reply[55][24:] == "71079F180400000071" + "72079F180400000072"
    declined = await pos.sale(card, 5000)
    assert declined[39] == "51" and len(declined[55]) == 24


# ---- repetitions


async def test_the_same_message_gets_the_stored_reply(host: Acquirer, pos: Terminal) -> None:
    first = await pos.sale(Card(), 1234)
    assert await pos.repeat() == first and pos.mac_good
    assert posted(host) == [("sale", 1234, "approved")]


async def test_a_stored_reply_is_sealed_with_the_key_of_today(
    host: Acquirer, pos: Terminal
) -> None:
    fields = pos.sale_fields(Card(), 1234)
    first = await pos.ask("0200", fields, pos.mac_key)
    await pos.sign_on()
    again = await pos.ask("0200", fields, pos.mac_key)
    assert pos.mac_good and again[64] != first[64] and again[37] == first[37]


@pytest.mark.parametrize("number, value", [(4, "000000001235"), (14, "3011"), (22, "071")])
async def test_a_trace_number_used_for_something_else(
    host: Acquirer, pos: Terminal, number: int, value: str
) -> None:
    fields = pos.sale_fields(Card(), 1234)
    await pos.ask("0200", fields, pos.mac_key)
    reply = await pos.ask("0200", fields | {number: value}, pos.mac_key)
    assert reply[39] == "94" and 38 not in reply and pos.mac_good
    assert posted(host) == [("sale", 1234, "approved")]


async def test_a_declined_message_repeated_stays_declined(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    first = await pos.sale(card, 100, pin="0000")
    assert first[39] == "55" and await pos.repeat() == first
    assert host.accounts()[0]["pin_failures"] == 1


async def test_the_same_key_twice_at_once(host: Acquirer, pos: Terminal) -> None:
    frame = encode("0200", pos.sale_fields(Card(), 1234), pos.mac_key)
    replies = await asyncio.gather(*(pos.send(frame) for _ in range(8)))
    assert len(set(replies)) == 1
    assert posted(host) == [("sale", 1234, "approved")] and balance(host) == OPENING - 1234


async def test_the_same_key_twice_at_once_with_other_content(
    host: Acquirer, pos: Terminal
) -> None:
    card = Card()
    fields = pos.sale_fields(card, 1234)
    other = fields | {4: "000000004321", 55: card.field_55(4321)}
    frames = [encode("0200", each, pos.mac_key) for each in (fields, other)]
    codes = [pos.read("0200", each)[39] for each in await asyncio.gather(*map(pos.send, frames))]
    assert sorted(codes) == ["00", "94"] and len(posted(host)) == 1


# ---- reversals


async def test_a_reversal_undoes_exactly_its_message(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    await pos.sale(card, 100)
    fields = pos.sale_fields(card, 1234)
    await pos.ask("0200", fields, pos.mac_key)
    await pos.sale(card, 1234)
    reply = await pos.reverse(fields)
    assert reply[39] == "00" and pos.mac_good and reply[11] == fields[11]
    assert posted(host) == [
        ("sale", 100, "approved"), ("sale", 1234, "reversed"), ("sale", 1234, "approved")
    ]  # fmt: skip
    assert balance(host) == OPENING - 1334


@pytest.mark.parametrize("reason", ["98", "96", "A0", "06"])
async def test_a_reversal_repeated_changes_nothing(
    host: Acquirer, pos: Terminal, reason: str
) -> None:
    fields = pos.sale_fields(Card(), 1234)
    await pos.ask("0200", fields, pos.mac_key)
    first = await pos.reverse(fields, reason)
    assert await pos.repeat() == first and first[39] == "00"
    await pos.sign_on()
    assert (await pos.reverse(fields, "96"))[39] == "00", "another reason, another key"
    assert balance(host) == OPENING and posted(host) == [("sale", 1234, "reversed")]


async def test_an_original_after_its_reversal_never_posts(host: Acquirer, pos: Terminal) -> None:
    fields = pos.sale_fields(Card(), 1234)
    assert (await pos.reverse(fields))[39] == "25"
    reply = await pos.ask("0200", fields, pos.mac_key)
    assert reply[39] == "12" and 38 not in reply
    assert (await pos.repeat())[39] == "12" and posted(host) == []
    assert (await pos.reverse(fields))[39] == "25", "the stored reply"
    assert balance(host) == OPENING


async def test_an_original_repeated_after_its_reversal_never_posts(
    host: Acquirer, pos: Terminal
) -> None:
    fields = pos.sale_fields(Card(), 1234)
    await pos.ask("0200", fields, pos.mac_key)
    await pos.reverse(fields)
    reply = await pos.ask("0200", fields, pos.mac_key)
    assert reply[39] == "12" and posted(host) == [("sale", 1234, "reversed")]
    assert balance(host) == OPENING


async def test_the_reversal_of_a_declined_sale_is_through(host: Acquirer, pos: Terminal) -> None:
    fields = pos.sale_fields(Card(), OPENING + 1)
    await pos.ask("0200", fields, pos.mac_key)
    assert (await pos.reverse(fields))[39] == "00"
    assert balance(host) == OPENING and posted(host) == []


@pytest.mark.parametrize(
    "other, code",
    [
        ({"f4": "000000000001"}, "64"),
        ({"f2": "6225880000080011"}, "30"),
        ({"f3": "200000"}, "30"),
    ],
)
async def test_a_reversal_that_does_not_fit_moves_nothing_and_settles_nothing(
    host: Acquirer, pos: Terminal, other: dict[str, str], code: str
) -> None:
    fields = pos.sale_fields(Card(), 1234)
    await pos.ask("0200", fields, pos.mac_key)
    assert (await pos.reverse(fields, **other))[39] == code
    assert posted(host) == [("sale", 1234, "approved")]
    assert (await pos.reverse(fields))[39] == "00", "the right one still goes through"


async def test_a_reversal_keeps_its_own_batch(host: Acquirer, pos: Terminal) -> None:
    """Owed messages keep the batch of their original; a later batch is no 77 for them."""
    pos.batch = "000009"
    assert (await pos.reverse(pos.sale_fields(Card(), 1234)))[39] == "25"


async def test_a_reversal_with_a_wrong_mac(host: Acquirer, pos: Terminal) -> None:
    fields = pos.sale_fields(Card(), 1234)
    await pos.ask("0200", fields, pos.mac_key)
    good, pos.mac_key = pos.mac_key, bytes(range(16))
    assert (await pos.reverse(fields))[39] == "A0"
    pos.mac_key = good
    assert posted(host) == [("sale", 1234, "approved")]


async def test_sale_and_reversal_at_once_end_with_nothing_posted(
    host: Acquirer, pos: Terminal
) -> None:
    fields = pos.sale_fields(Card(), 1234)
    kept = {n: fields[n] for n in (2, 3, 4, 11, 14, 22, 23, 25, 41, 42, 49, 60)}
    frames = [
        encode("0400", kept | {39: "98"}, pos.mac_key),
        encode("0200", fields, pos.mac_key),
        encode("0400", kept | {39: "98"}, pos.mac_key),
    ]
    await asyncio.gather(*map(pos.send, frames))
    assert balance(host) == OPENING
    assert all(state == "reversed" for _, _, state in posted(host))


def change(folder: Path, statement: str) -> None:
    """Change the host's database behind its back, as a clerk or a later settlement would."""
    engine = open_store(f"sqlite:///{folder}/host.db")
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def test_a_posting_undone_by_other_means_is_not_credited_twice(
    host: Acquirer, pos: Terminal, tmp_path: Path
) -> None:
    fields = pos.sale_fields(Card(), 1234)
    await pos.ask("0200", fields, pos.mac_key)
    change(tmp_path, "UPDATE postings SET state = 'reversed'")
    assert (await pos.reverse(fields))[39] == "00"
    assert balance(host) == OPENING - 1234


async def test_trace_numbers_are_free_again_after_a_settlement(
    host: Acquirer, pos: Terminal, tmp_path: Path
) -> None:
    card = Card()
    await pos.sale(card, 100)
    change(tmp_path, "UPDATE terminals SET cycle = cycle + 1")
    pos.trace -= 1
    assert (await pos.sale(card, 200))[39] == "00"
    assert posted(host) == [("sale", 100, "approved"), ("sale", 200, "approved")]


# ---- balance


async def test_a_balance_inquiry_posts_nothing(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    fields = pos.sale_fields(card, 1)
    del fields[4]
    fields |= {3: "310000", 60: "0100000100060"}
    # Field 4 is absent, and the card signs an amount of nothing.
    fields[55] = card.field_55(0, kind="31")
    reply = await pos.ask("0200", fields, pos.mac_key)
    assert reply[39] == "00" and reply[54] == "1002156C000001000000"
    assert posted(host) == [] and card.accepts(reply[55], "00")
    reversal = await pos.reverse(fields | {4: "0" * 12})
    assert reversal[39] == "12"


async def test_a_balance_inquiry_needs_the_pin(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    fields = pos.sale_fields(card, 1, pin=None, mode="07")
    del fields[4]
    fields |= {3: "310000", 60: "0100000100060", 55: card.field_55(0, kind="31")}
    assert (await pos.ask("0200", fields, pos.mac_key))[39] == "55"
