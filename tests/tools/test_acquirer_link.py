"""The host on the wire: sign-on, TLS, torn and nonsensical frames, faults on purpose, events."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from acquirer_host import NOW, balance, open_host, till, write_deck
from acquirer_terminal import (
    DEBIT,
    PREFIX,
    Card,
    Terminal,
    decode,
    encode,
    encode_field,
    mac,
    read_frame,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyemv import kd

from tools.acquirer import crypto, pki, triggers, wire
from tools.acquirer.errors import AcquirerError, WireError
from tools.acquirer.host import Terminal as Known
from tools.acquirer.server import Acquirer

# PROTOCOL.md, "MAC": a whole frame and its key.
VECTOR = bytes.fromhex(
    "60000300006032103200720200" "3020048000C08015" "000000" "000000001234" "000002" "0300" "99"
    "3030303030303031" "393532373138313832323137383735" "313536" "001926000001000600000000"
    "00435F01123238343431323334353637383930313233345F03063136303033365F04063230303832365C023031"
    "4233413039324145"
)  # fmt: skip
VECTOR_KEY = bytes.fromhex("0723C80DB5F4CD3D")


_FRESH = itertools.count(1)  # trace numbers and transaction counters for hypothesis


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


@asynccontextmanager
async def served(host: Acquirer, *, tls: bool = False) -> AsyncIterator[Callable]:
    """The host on a loopback port: a function that opens a connection, (reader, writer)."""
    context = pki.server_context() if tls else None
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    how = {"ssl": pki.client_context(), "server_hostname": "acquirer.suanpan.test"} if tls else {}
    try:
        yield lambda: asyncio.open_connection("127.0.0.1", port, **how)
    finally:
        server.close()
        await host.hang_up()


@asynccontextmanager
async def connected(host: Acquirer, *, tls: bool = False) -> AsyncIterator[tuple]:
    """One connection over the loopback: (reader, writer)."""
    async with served(host, tls=tls) as connect:
        reader, writer = await connect()
        yield reader, writer
        writer.close()


def wired(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Terminal:
    async def send(frame: bytes) -> bytes | None:
        writer.write(len(frame).to_bytes(2, "big") + frame)
        return await read_frame(reader)

    return Terminal(send)


# ---- vectors


def test_the_protocols_whole_frame() -> None:
    message = wire.decode(VECTOR)
    assert len(VECTOR) == 0x7F
    assert (message.mti, message.amount, message.fields[22]) == ("0200", 1234, "030")
    assert (message.fields[60], message.fields[64]) == ("2600000100060000000", "B3A092AE")
    assert crypto.mac_cup(VECTOR_KEY, message.mac_text) == "B3A092AE"
    assert crypto.mac_cup(VECTOR_KEY * 2, message.mac_text) == "B3A092AE"
    assert wire.encode(message) == VECTOR
    assert decode(VECTOR)[1] == message.fields, "the tests' own reading agrees"


def test_the_protocols_working_keys() -> None:
    tmk = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
    pin = crypto.working_key(tmk, bytes.fromhex("6701EAD6A9AD51E51AA406E2C27FCFA9"))
    assert pin.hex().upper() == "807A23AD32B36D457AE91FDF927570EA"
    mac_key = crypto.working_key(tmk, bytes.fromhex("B651F9E9BACE9AE1"))
    assert mac_key.hex().upper() == "5BB5C72CD00B7338"
    block = bytes.fromhex("BDFD42DCF960C8B6")  # PINMAC.md, through this very PIN key
    assert crypto.pin_of(pin, block, "6222021234567890123") == "123456"


def test_the_published_cryptogram() -> None:
    """EMV.md, "Cryptogram check"."""
    issuer = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    card = kd.derive_icc_mk_a(issuer, "12345678901234567", "45")
    session = kd.derive_common_sk(card, bytes.fromhex("1234567890123456"))
    cryptogram = crypto.application_cryptogram(session, bytes.fromhex("0123456789ABCDEF" * 2))
    assert cryptogram.hex().upper() == "19C1FBC83EBDC0D5"
    answer = crypto.issuer_authentication_data(card, cryptogram, "\0\0")
    assert answer.hex().upper() == "78A372523FA35A03" + "0000"


def test_a_dead_source_of_randomness_is_named() -> None:
    with pytest.raises(AcquirerError, match="randomness"):
        crypto.issue_keys(bytes(range(16)), "003", bytes)


# ---- sign-on, sign-off, echo


@pytest.mark.parametrize("key_set, length", [("001", 24), ("003", 40), ("004", 60)])
async def test_sign_on_issues_keys_that_work(host: Acquirer, key_set: str, length: int) -> None:
    terminal = till(host)
    reply = await terminal.sign_on(key_set)
    assert reply[39] == "00" and len(reply[62]) == 2 * length and 64 not in reply
    assert (reply[12], reply[13], reply[60][2:8]) == ("093015", "1123", "000001")
    assert {11, 32, 37, 41, 42} <= set(reply)
    assert len(set(terminal.taken)) == len(terminal.taken)
    assert (await terminal.sale(Card(), 100))[39] == "00"
    assert terminal.mac_good


async def test_every_sign_on_changes_the_keys(host: Acquirer, pos: Terminal) -> None:
    before, old = list(pos.taken), pos.mac_key
    await pos.sign_on()
    assert not set(before) & set(pos.taken)
    fields = pos.sale_fields(Card(), 100)
    assert (await pos.ask("0200", fields, old))[39] == "A0"


async def test_a_terminals_keys_are_its_own(tmp_path: Path) -> None:
    second = Known("SP000002", "898610154110001", bytes(range(16)))
    acquirer = Acquirer(
        clock=lambda: NOW, deck_folder=write_deck(tmp_path), terminals=(Known(), second)
    )
    one, two = till(acquirer), till(acquirer)
    two.number, two.tmk = "SP000002", second.master_key
    await one.sign_on()
    await two.sign_on()
    two.mac_key, own = one.mac_key, two.mac_key
    assert (await two.sale(Card(), 100))[39] == "A0"
    two.mac_key, two.trace = own, one.trace
    card = Card()
    assert [(await each.sale(card, 100))[39] for each in (one, two)] == ["00", "00"]
    assert [len(acquirer.ledger(each.number)) for each in (one, two)] == [1, 1]
    acquirer.close()


async def test_sign_off_ends_the_keys(host: Acquirer, pos: Terminal) -> None:
    assert (await pos.ask("0820", {11: pos.next_trace(), 60: "00000001002"}))[39] == "00"
    assert (await pos.sale(Card(), 100))[39] == "99"
    await pos.sign_on()
    assert (await pos.sale(Card(), 100))[39] == "00"


async def test_an_echo_is_answered_without_a_sign_on(host: Acquirer) -> None:
    reply = await till(host).ask("0820", {11: "000001", 60: "00000001301"})
    assert reply[39] == "00" and 62 not in reply and reply[60] == "00000001301"


@pytest.mark.parametrize(
    "mti, network, code", [("0800", "005", "40"), ("0820", "999", "40"), ("0800", "", "30")]
)
async def test_management_this_host_does_not_serve(
    host: Acquirer, mti: str, network: str, code: str
) -> None:
    reply = await till(host).ask(mti, {11: "000001", 60: f"00000001{network}"})
    assert reply[39] == code


async def test_the_header_carries_the_hosts_wish(host: Acquirer, pos: Terminal) -> None:
    assert pos.header == "603210320072"
    host.ask_terminals(3)
    await pos.sale(Card(), 100)
    assert pos.header == "603213320072" and pos.mac_good
    with pytest.raises(AcquirerError, match="0 to 7"):
        host.ask_terminals(8)


# ---- connections


async def test_a_day_over_tls(host: Acquirer) -> None:
    async with connected(host, tls=True) as (reader, writer):
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        pos = wired(reader, writer)
        await pos.sign_on()
        fields = pos.sale_fields(Card(), 1234)
        assert (await pos.ask("0200", fields, pos.mac_key))[39] == "00"
        assert (await pos.reverse(fields))[39] == "00"
    assert balance(host) == 1_000_000


async def test_many_connections_at_once_keep_their_replies(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    frames = [encode("0200", pos.sale_fields(card, 10 + n), pos.mac_key) for n in range(6)]

    async with served(host) as connect:
        terminals = [wired(*await connect()) for _ in frames]
        sent = (each.send(frame) for each, frame in zip(terminals, frames))
        replies = [decode(frame or b"")[1] for frame in await asyncio.gather(*sent)]
    assert [int(reply[4]) for reply in replies] == [10, 11, 12, 13, 14, 15]
    approved = [int(reply[4]) for reply in replies if reply[39] == "00"]
    assert approved and balance(host) == 1_000_000 - sum(approved)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff" + bytes(100),  # longer than any message
        b"\x00\x05hello",  # shorter than any message
        b"\x00\x20" + bytes(32),  # no bitmap, and something behind it
        b"\x00\x7f" + VECTOR[:50],  # breaks off
        b"\x00",  # not even a length
        b"\x00\x7f" + VECTOR[:13] + b"\xff" * 8 + VECTOR[21:],  # fields there are not
        b"\x00\x7f" + VECTOR[:24] + b"\xaa" + VECTOR[25:],  # letters among digits
        b"\x00\x7f" + VECTOR[:11] + b"\x02\x10" + VECTOR[13:],  # a reply
    ],
)
async def test_nonsense_closes_the_connection_and_nothing_else(
    host: Acquirer, pos: Terminal, data: bytes
) -> None:
    events: list[dict] = []
    host.subscribe(events.append)
    async with connected(host) as (reader, writer):
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
    assert [event["kind"] for event in events][-1] == "acquirer" and events[-1]["trouble"]
    assert (await pos.sale(Card(), 100))[39] == "00"


async def test_a_connection_that_says_nothing_just_ends(host: Acquirer) -> None:
    events: list[dict] = []
    host.subscribe(events.append)
    async with connected(host) as (reader, writer):
        writer.write_eof()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
    assert events == []


async def test_an_unfinished_frame_has_a_time_limit(
    host: Acquirer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.acquirer.server.FRAME_SECONDS", 0.01)
    async with connected(host) as (reader, writer):
        writer.write(b"\x00\x7f")
        async with asyncio.timeout(5):
            assert await reader.read() == b""


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=2100),
        st.tuples(st.integers(11, len(VECTOR) - 1), st.binary(min_size=1, max_size=12)).map(
            lambda at: VECTOR[: at[0]] + at[1] + VECTOR[at[0] + len(at[1]) :]
        ),
        st.integers(0, len(VECTOR)).map(lambda length: VECTOR[:length]),
    )
)
def test_a_malformed_frame_is_refused_or_answered(host: Acquirer, frame: bytes) -> None:
    async def attempt() -> None:
        try:
            sent = await host.respond_to(frame)
        except WireError:
            return
        assert decode(sent[0].data[2:])[1][39] in ("97", "03", "99", "A0", "30")

    asyncio.run(attempt())
    assert host.ledger() == []


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.dictionaries(
        st.sampled_from((2, 3, 4, 14, 22, 23, 25, 35, 49, 52, 53, 55, 60)),
        st.one_of(st.none(), st.binary(min_size=1, max_size=14)),
        min_size=1,
        max_size=3,
    )
)
def test_nonsense_under_a_good_mac_never_posts(
    host: Acquirer, changes: dict[int, bytes | None]
) -> None:
    """A terminal gone mad, with good keys: fields missing or full of noise."""

    async def attempt() -> None:
        pos = till(host)
        await pos.sign_on()
        pos.trace = next(_FRESH)
        fields = pos.sale_fields(Card(atc=pos.trace), 1234)
        frame = _with_noise(fields, changes, pos.mac_key)
        try:
            sent = await host.respond_to(frame)
        except WireError:
            return
        code = decode(sent[0].data[2:])[1][39]
        assert code != "96"
        if code == "00":
            other = {n for n, raw in changes.items() if raw != encode_field(n, fields[n])}
            assert other <= {2, 14, 23, 35, 53, 60}, "what may be missing, or in part differ"

    asyncio.run(attempt())


def _with_noise(fields: dict[int, str], changes: dict[int, bytes | None], key: bytes) -> bytes:
    """A frame of these fields with a good MAC, some left out, some replaced by raw bytes."""
    kept = {n: t for n, t in fields.items() if changes.get(n, b"") is not None}
    bitmap = sum(1 << (64 - n) for n in (*kept, 64)).to_bytes(8, "big")
    text = b"\x02\x00" + bitmap
    for number in sorted(kept):
        text += changes.get(number) or encode_field(number, kept[number])
    return PREFIX + text + mac(key, text).encode()


# ---- restart


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    first = open_host(tmp_path)
    pos = till(first)
    await pos.sign_on()
    card = Card()
    sale = pos.sale_fields(card, 1234)
    reply = await pos.ask("0200", sale, pos.mac_key)
    frame = pos.last
    await pos.sale(card, 100, pin="0000")
    owed = pos.sale_fields(card, 55)
    assert (await pos.reverse(owed))[39] == "25"
    first.close()

    second = open_host(tmp_path, seed=2)
    again = till(second)
    again.mac_key, again.pin_key, again.trace = pos.mac_key, pos.pin_key, pos.trace
    assert again.read("0200", await again.send(frame)) == reply and again.mac_good
    assert (await again.ask("0200", owed, again.mac_key))[39] == "12"
    assert second.accounts()[0]["pin_failures"] == 1
    assert (await again.reverse(sale))[39] == "00"
    assert balance(second) == 1_000_000
    card.atc = 1
    assert (await again.sale(card, 100))[39] == "63"
    assert [row["state"] for row in second.ledger()] == ["reversed"]
    second.close()


# ---- faults on purpose (SIMULATOR.md, "Triggers")


@pytest.mark.parametrize("code", ["51", "05", "77", "97", "99", "00", "11"])
async def test_an_amount_that_names_its_code(host: Acquirer, pos: Terminal, code: str) -> None:
    card = Card()
    fields = pos.sale_fields(card, 800_000 + int(code))
    reply = await pos.ask("0200", fields, pos.mac_key)
    approved = code in ("00", "11")
    assert reply[39] == code and (38 in reply) == approved and pos.mac_good
    assert card.accepts(reply[55], code)
    assert len(host.ledger()) == approved
    assert (await pos.reverse(fields))[39] == "00" and balance(host) == 1_000_000


async def answered(host: Acquirer, pos: Terminal, amount: int) -> tuple[list[bytes], Card, dict]:
    """Everything that comes back for a sale of this amount before the line falls silent."""
    card = Card(atc=pos.trace * 10)
    fields = pos.sale_fields(card, amount)
    async with connected(host) as (reader, writer):
        frame = encode("0200", fields, pos.mac_key)
        writer.write(len(frame).to_bytes(2, "big") + frame)
        writer.write_eof()
        async with asyncio.timeout(5):
            data = b""
            try:
                while chunk := await reader.read(4096):
                    data += chunk
            except ConnectionError:
                pass
    frames = []
    while data:
        length = int.from_bytes(data[:2], "big")
        frames.append(data[2 : 2 + length])
        data = data[2 + length :]
    return frames, card, fields


async def test_silent_and_lost_differ_in_the_ledger(host: Acquirer, pos: Terminal) -> None:
    frames, _, silent = await answered(host, pos, 910_100)
    assert frames == [] and host.ledger() == []
    assert (await pos.reverse(silent))[39] == "25"
    frames, _, lost = await answered(host, pos, 910_200)
    assert frames == [] and [row["state"] for row in host.ledger()] == ["approved"]
    assert (await pos.reverse(lost))[39] == "00" and balance(host) == 1_000_000


async def test_a_reply_after_the_time_limit(
    host: Acquirer, pos: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pos.sale_fields(Card(), 910_300)
    (delivery,) = await host.respond_to(encode("0200", first, pos.mac_key))
    assert delivery.after > 60
    await pos.reverse(first)
    monkeypatch.setattr(triggers, "LATE_SECONDS", 0.2)
    async with connected(host) as streams:
        late = wired(*streams)
        fields = pos.sale_fields(Card(atc=9), 910_300)
        frame = encode("0200", fields, pos.mac_key)
        streams[1].write(len(frame).to_bytes(2, "big") + frame)
        late.mac_key = pos.mac_key
        assert (await late.reverse(fields))[39] == "00", "it does not hold up the next message"
        assert decode(await read_frame(streams[0]) or b"")[1][39] == "00"


async def test_a_bad_mac_in_the_reply(host: Acquirer, pos: Terminal) -> None:
    frames, _, _ = await answered(host, pos, 910_400)
    assert pos.read("0200", frames[0])[39] == "00" and not pos.mac_good


async def test_a_malformed_bitmap(host: Acquirer, pos: Terminal) -> None:
    frames, _, _ = await answered(host, pos, 910_500)
    with pytest.raises(WireError):
        wire.decode(frames[0])


async def test_a_connection_reset_in_mid_frame(host: Acquirer, pos: Terminal) -> None:
    (delivery,) = await host.respond_to(
        encode("0200", pos.sale_fields(Card(), 910_600), pos.mac_key)
    )
    announced = int.from_bytes(delivery.data[:2], "big")
    assert delivery.reset and 2 < len(delivery.data) < 2 + announced
    assert len(host.ledger()) == 1, "the host has posted it"
    async with connected(host) as streams:
        torn = wired(*streams)
        frame = encode("0200", pos.sale_fields(Card(atc=5), 910_600), pos.mac_key)
        assert await torn.send(frame) is None


async def test_a_duplicate_reply(host: Acquirer, pos: Terminal) -> None:
    frames, _, _ = await answered(host, pos, 910_700)
    assert len(frames) == 2 and frames[0] == frames[1] and len(host.ledger()) == 1


async def test_a_wrong_trace_number(host: Acquirer, pos: Terminal) -> None:
    frames, _, fields = await answered(host, pos, 910_800)
    reply = pos.read("0200", frames[0])
    assert pos.mac_good and int(reply[11]) == int(fields[11]) + 1


async def test_a_wrong_issuer_cryptogram(host: Acquirer, pos: Terminal) -> None:
    frames, card, _ = await answered(host, pos, 910_900)
    reply = pos.read("0200", frames[0])
    assert pos.mac_good and reply[39] == "00" and not card.accepts(reply[55], "00")


async def test_overrides_count_their_uses(host: Acquirer, pos: Terminal) -> None:
    card = Card()
    host.triggers.respond("05", times=2)
    assert host.triggers.active == ["05"]
    codes = [(await pos.sale(card, 100))[39] for _ in range(3)]
    assert codes == ["05", "05", "00"] and host.triggers.active == []
    host.triggers.respond("a6")
    assert (await pos.sale(card, 100))[39] == "A6"
    host.triggers.clear()
    host.triggers.silent(times=1)
    assert await pos.sale(card, 100) == {}
    assert (await pos.sale(card, 100))[39] == "00"


async def test_an_override_for_reversals_only(host: Acquirer, pos: Terminal) -> None:
    fields = pos.sale_fields(Card(), 100)
    host.triggers.respond("96", mti="0400")
    assert (await pos.ask("0200", fields, pos.mac_key))[39] == "00"
    assert (await pos.reverse(fields))[39] == "96"
    host.triggers.clear()
    assert (await pos.reverse(fields))[39] == "00", "the refused one was not remembered"
    host.triggers.respond("91", times=1, mti="0800")
    assert (await pos.sign_on())[39] == "91"


@pytest.mark.parametrize("wrong", ["5", "051", "＊5", ""])
def test_an_override_that_is_no_code(host: Acquirer, wrong: str) -> None:
    with pytest.raises(AcquirerError, match="two letters or digits"):
        host.triggers.respond(wrong)
    with pytest.raises(AcquirerError, match="there are silent"):
        host.triggers.fault("sulking")
    with pytest.raises(AcquirerError, match="one request at least"):
        host.triggers.silent(times=0)


# ---- events


async def test_events_show_everything_but_secrets(host: Acquirer) -> None:
    events: list[dict] = []
    host.subscribe(events.append)
    pos = till(host)
    await pos.sign_on()
    card = Card()
    fields = pos.sale_fields(card, 1234)
    fields[55] += "5A08" + DEBIT + "5713" + DEBIT + "D30122200000000000000F"
    await pos.ask("0200", fields, pos.mac_key)
    told = json.dumps(events)
    for secret in (DEBIT, fields[35], fields[52], *pos.taken, "D3012"):
        assert secret not in told
    assert [(event["direction"], event["mti"]) for event in events] == [
        ("in", "0800"), ("out", "0810"), ("in", "0200"), ("out", "0210")
    ]  # fmt: skip
    shown = events[2]["fields"]
    assert shown["2"] == "622588******1234" and shown["4"] == "000000001234"
    assert shown["35"] == shown["52"] == "●" and "9F3602" in shown["55"]
    assert "5A08622588FFFFFF1234" in shown["55"] and "5700" in shown["55"]
    assert events[1]["fields"]["62"] == "●"
    await pos.repeat()
    assert events[-1]["repeated"] and events[-1]["reason"] == "answered before"
