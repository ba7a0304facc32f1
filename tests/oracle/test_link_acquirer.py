"""The terminal's link against the test acquirer, which shares no code with it.

TLS 1.3 over real sockets; the acquirer's MACs and PIN blocks are psec's, its messages pyiso8583's,
its cryptograms pyemv's, and the cards are the simulator's.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyemv import tlv

from tools.acquirer import pki, testbed
from tools.acquirer.server import Acquirer
from tools.sim import cards

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
NOW = datetime(2026, 11, 23, 12, 34, 56)
LIMIT_S = 20
PDOL = ("9F66", "9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37")


class Terminal:
    """The firmware's money half in its own process; one JSON line each way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, order: dict[str, Any], extra: bytes = b"") -> dict[str, Any]:
        """Give an order and wait for its answer."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order).encode() + b"\n" + extra)
        await self._process.stdin.drain()
        async with asyncio.timeout(LIMIT_S):
            line = await self._process.stdout.readline()
        if not line:
            assert self._process.stderr
            raise AssertionError((await self._process.stderr.read()).decode())
        return json.loads(line)

    async def do(self, what: str, **more: Any) -> dict[str, Any]:
        """An order by its name."""
        return await self.ask({"do": what, **more})

    async def provision(self) -> dict[str, Any]:
        """As the workshop does; the last step's answer."""
        values = {
            "serial": testbed.SERIAL, "terminal": testbed.TERMINAL, "merchant": testbed.MERCHANT,
            "name": testbed.MERCHANT_NAME, "tpdu": testbed.TPDU.hex(), "hosts":
            [[testbed.PRIMARY_HOST, testbed.PORT], [testbed.BACKUP_HOST, testbed.PORT]],
        }  # fmt: skip
        operators = [{"number": "01", "password": "0001", "change": False}]
        steps: list[tuple[dict[str, Any], bytes]] = [({"step": "begin"}, b"")]
        for part in testbed.TMK_COMPONENTS:
            order = {"step": "component", "length": len(part)}
            steps.append((order, part.hex().encode() + b"\n"))
        steps += [
            ({"step": "parameters", "values": values}, b""),
            ({"step": "ca", "der": pki.ca_der().read_bytes().hex()}, b""),
            ({"step": "operators", "values": operators}, b""),
            ({"step": "journal", "batch": 1, "trace": 0}, b""),
            ({"step": "finish"}, b""),
        ]
        for order, extra in steps:
            answer = await self.ask(order, extra)
            assert answer["ok"], answer
        return answer

    async def pay(self, card: cards.Card, amount: int, **more: Any) -> dict[str, Any]:
        """A sale by tap with what the card model gives."""
        elements = tap(card, amount)
        wanted = ("9F26", "9F27", "9F10", "9F36", "82", *PDOL[1:])
        order = {
            "amount": amount, "entry": "tap", "pan": elements["57"].partition("D")[0],
            "expiry": elements["57"].partition("D")[2][:4], "psn": "0" + elements["5F34"],
            "track2": elements["57"],
            "chip": "".join(f"{t}{len(elements[t]) // 2:02X}{elements[t]}" for t in wanted),
        }  # fmt: skip
        return await self.do("sale", **{**order, **more})


def tap(card: cards.Card, amount: int) -> dict[str, str]:
    """Tap a card; its elements and the terminal's, hex by tag."""
    card.reset("contactless")
    assert card.apdu(bytes.fromhex("00A4040008A00000033301010100"))[-2:] == b"\x90\x00"
    ours = {
        "9F66": "26804080", "9F02": f"{amount:012d}", "9F03": "0" * 12, "9F1A": "0156",
        "95": "0000000000", "5F2A": "0156", "9A": "261123", "9C": "00", "9F37": "A1B2C3D4",
    }  # fmt: skip
    values = bytes.fromhex("".join(ours[tag] for tag in PDOL))
    data = bytes((0x83, len(values))) + values
    answer = card.apdu(b"\x80\xa8\0\0" + bytes((len(data),)) + data + b"\0")
    assert answer[-2:] == b"\x90\x00"
    return ours | {"9F27": "80"} | tlv.decode(
        answer[:-2], flatten=True, convert=lambda tag, value: value.hex().upper()
    )


class Bed:
    """A terminal, an acquirer, and the line between them."""

    def __init__(self, terminal: Terminal, acquirer: Acquirer, ports: dict[str, int]) -> None:
        self.terminal = terminal
        self.acquirer = acquirer
        self.ports = ports
        self.card = cards.load("quick")

    async def boot(self, ports: dict[str, int] | None = None, reply_ms: int = 1500) -> dict:
        """Power-on; the names that resolve, and how long to wait for answers."""
        return await self.terminal.do(
            "boot", ports=self.ports if ports is None else ports, reply_ms=reply_ms
        )

    async def books(self) -> dict[str, Any]:
        """The terminal's books."""
        return await self.terminal.do("books")

    def difference(self, books: dict[str, Any]) -> int:
        """Fen that the host has posted and the terminal has not."""
        postings = [p for p in self.acquirer.ledger() if p["state"] == "approved"]
        return sum(p["amount"] for p in postings) - books["debit"][1]


@asynccontextmanager
async def bed(kind: str = "primary") -> AsyncIterator[Bed]:
    """Everything, provisioned and booted; the primary host shows a certificate of `kind`."""
    acquirer = Acquirer(clock=lambda: NOW)
    servers = []
    ports = {}
    for host, certificate in ((testbed.PRIMARY_HOST, kind), (testbed.BACKUP_HOST, "backup")):
        context = pki.server_context(certificate)
        server = await asyncio.start_server(acquirer.serve, "127.0.0.1", 0, ssl=context)
        servers.append(server)
        ports[host] = server.sockets[0].getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    environment["MICROPYPATH"] = "lib:.:.frozen"
    process = await asyncio.create_subprocess_exec(
        str(INTERPRETER), "-X", "heapsize=16M", "tests/oracle/link_driver.py", cwd=REPO,
        env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        terminal = Terminal(process)
        answer = await terminal.provision()
        assert answer["kcv"]["0"] == testbed.TMK_KCV.hex().upper()[:6]
        made = Bed(terminal, acquirer, ports)
        await made.boot()
        yield made
    finally:
        process.kill()
        await process.wait()
        await acquirer.hang_up()
        for server in servers:
            server.close()
        acquirer.close()


async def test_a_day_in_the_shop() -> None:
    """Echo, sign-on, a tapped sale, the same after a power cut, sign-off."""
    async with bed() as b:
        assert 0 <= (await b.terminal.do("echo"))["result"] < 5000
        books = await b.books()
        assert not books["signed_on"]
        assert (await b.terminal.pay(b.card, 100))["error"] == "NotSignedOn"
        signed = await b.terminal.do("sign_on")
        assert not signed["batch_differs"]
        shop = NOW - datetime(2000, 1, 1)
        assert (await b.books())["now"] == int(shop.total_seconds())
        reply = await b.terminal.pay(b.card, 1234)
        assert (reply["code"], reply["state"], reply["message"]) == ("00", "completed", "rc_00")
        assert len(reply["reference"]) == 12 and len(reply["authorisation_code"]) == 6
        assert reply["chip"].startswith("910a")
        again = await b.boot()
        assert again == {"notices": [], "changed": []}
        assert (await b.terminal.pay(b.card, 66))["code"] == "00"
        books = await b.books()
        assert books["debit"] == [2, 1300] and books["owed"] == []
        assert b.difference(books) == 0
        await b.terminal.do("sign_off")
        assert not (await b.books())["signed_on"]
        await b.boot()
        assert not (await b.books())["signed_on"]


async def test_online_pin_right_and_wrong() -> None:
    """The PIN block is made by pinmac and opened by psec."""
    async with bed() as b:
        await b.terminal.do("sign_on")
        card = cards.load("debit")
        assert (await b.terminal.pay(card, 500, pin="654321"))["code"] == "55"
        reply = await b.terminal.pay(card, 500, pin="123456")
        assert (reply["code"], reply["state"]) == ("00", "completed")
        reply = await b.terminal.pay(card, 500_000_000, pin="123456")
        assert (reply["code"], reply["state"], reply["message"]) == ("51", "declined", "rc_51")
        books = await b.books()
        assert books["debit"] == [1, 500] and b.difference(books) == 0


@pytest.mark.parametrize(
    "amount, error, reason",
    [
        (910_100, "ReplyTimeout", "98"),  # silent
        (910_200, "ReplyTimeout", "98"),  # processed, the reply lost
        (910_400, "MacFault", "A0"),
        (910_500, "MalformedReply", "98"),
        (910_600, "Disconnected", "98"),
        (910_800, "ReplyTimeout", "98"),  # another trace number
    ],
)
async def test_what_is_not_answered_well_is_owed_and_then_settled(
    amount: int, error: str, reason: str
) -> None:
    """SIMULATOR.md's reserved amounts; the reversal goes out before the next sale."""
    async with bed() as b:
        await b.terminal.do("sign_on")
        card = cards.load("debit")
        assert (await b.terminal.pay(card, amount, pin="123456"))["error"] == error
        books = await b.books()
        assert [owed[1:] for owed in books["owed"]] == [[reason, 0]]
        await b.boot()
        assert (await b.books())["owed"] == books["owed"]
        reply = await b.terminal.pay(b.card, 777)
        assert reply["code"] == "00"
        books = await b.books()
        assert books["owed"] == [] and books["debit"] == [1, 777] and b.difference(books) == 0
        if amount == 910_800:
            assert any("ignored" in line and "field 11" in line for line in books["log"])


async def test_a_reply_that_comes_twice_counts_once() -> None:
    async with bed() as b:
        await b.terminal.do("sign_on")
        card = cards.load("debit")
        reply = await b.terminal.pay(card, 910_700, pin="123456")
        assert reply["state"] == "completed"
        assert (await b.terminal.pay(b.card, 55))["state"] == "completed"
        books = await b.books()
        assert books["debit"] == [2, 910_755] and b.difference(books) == 0
        assert any("ignored" in line for line in books["log"])


async def test_a_chip_that_refuses_and_a_chip_that_leaves() -> None:
    """Approved by the host: the card's AAC reverses with 06, its silence with 96."""
    async with bed() as b:
        await b.terminal.do("sign_on")
        chip = {"entry": "chip", "pin": "123456"}
        card = cards.load("debit")
        reply = await b.terminal.pay(card, 100, second="TC", **chip)
        assert (reply["code"], reply["state"]) == ("00", "completed")
        reply = await b.terminal.pay(card, 200, second="AAC", **chip)
        assert (reply["code"], reply["state"]) == ("00", "reversing")
        assert [owed[1] for owed in (await b.books())["owed"]] == ["06"]
        reply = await b.terminal.pay(card, 300, **chip)
        assert (reply["code"], reply["state"]) == ("00", "reversing")
        books = await b.books()
        assert [owed[1] for owed in books["owed"]] == ["96"]
        assert await b.terminal.do("settle_owed") == {"result": 1}
        books = await b.books()
        assert books["owed"] == [] and books["debit"] == [1, 100] and b.difference(books) == 0


async def test_a_reversal_that_does_not_get_through_stops_online_payment() -> None:
    async with bed() as b:
        await b.terminal.do("sign_on")
        b.acquirer.triggers.fault("lost", 1)
        assert (await b.terminal.pay(b.card, 100))["error"] == "ReplyTimeout"
        b.acquirer.triggers.respond("96", mti="0400")
        for tries, error in ((1, "Refused"), (2, "Refused"), (3, "ReversalStuck")):
            assert (await b.terminal.pay(b.card, 200))["error"] == error
            books = await b.books()
            assert books["owed"][0][2] == tries and books["stuck"] == (tries == 3)
        assert (await b.terminal.pay(b.card, 200))["error"] == "ReversalStuck"
        await b.terminal.do("by_hand")
        assert (await b.terminal.pay(b.card, 200))["code"] == "00"
        books = await b.books()
        assert books["owed"] == [] and b.difference(books) == 100
        assert "by hand" in [state for _, state in books["states"]]


async def test_a_host_that_lost_our_keys_makes_us_sign_on_again() -> None:
    """A0 in a reply starts one sign-on; the sale is declined, and the next one goes through."""
    async with bed() as b:
        await b.terminal.do("sign_on")
        b.acquirer.triggers.respond("A0", 1)
        reply = await b.terminal.pay(b.card, 100)
        assert (reply["code"], reply["state"]) == ("A0", "declined")
        assert (await b.terminal.pay(b.card, 100))["code"] == "00"


async def test_hosts_that_cannot_be_reached() -> None:
    async with bed() as b:
        await b.terminal.do("sign_on")
        await b.boot(ports={})
        assert (await b.terminal.pay(b.card, 100))["error"] == "NoRoute"
        books = await b.books()
        assert books["owed"] == [] and books["states"][-1][1] == "cancelled"
        await b.boot(ports={testbed.BACKUP_HOST: b.ports[testbed.BACKUP_HOST]})
        assert (await b.terminal.pay(b.card, 100))["code"] == "00"
        mute = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = mute.sockets[0].getsockname()[1]
        await b.boot(ports={host: port for host in b.ports})
        assert (await b.terminal.do("echo"))["error"] == "ConnectTimeout"
        mute.close()


@pytest.mark.parametrize("kind", ["expired", "wrong-host", "untrusted"])
async def test_a_certificate_that_is_not_right_is_named(kind: str) -> None:
    """With no backup the fault has its own name, and nothing was sent; with one, it serves."""
    async with bed(kind) as b:
        await b.boot(ports={testbed.PRIMARY_HOST: b.ports[testbed.PRIMARY_HOST]})
        assert (await b.terminal.do("sign_on"))["error"] == "CertificateFault"
        await b.boot()
        assert "error" not in await b.terminal.do("sign_on")


async def test_card_data_that_fits_no_message_is_never_sent() -> None:
    async with bed() as b:
        await b.terminal.do("sign_on")
        for wrong in ({"psn": "12"}, {"pan": "62258800000712345678"}, {"expiry": "31X2"}):
            assert (await b.terminal.pay(b.card, 100, **wrong))["error"] == "Unsendable"
        books = await b.books()
        assert books["owed"] == [] and {state for _, state in books["states"]} == {"cancelled"}
        assert b.difference(books) == 0
        assert (await b.terminal.pay(b.card, 100))["code"] == "00"


async def test_a_kept_line_that_was_hung_up_is_opened_again() -> None:
    async with bed() as b:
        await b.terminal.do("sign_on")
        await b.acquirer.hang_up()
        assert (await b.terminal.pay(b.card, 100))["code"] == "00"


@pytest.mark.parametrize("entry, landed", [("tap", 0), ("tap", 256), ("chip", 0), ("chip", 256)])
async def test_a_cut_at_any_flash_write_leaves_no_difference(entry: str, landed: int) -> None:
    """The real link and the real host: what is owed after the cut explains all the difference."""
    async with bed() as b:
        await b.terminal.do("sign_on")
        card = cards.load("debit")
        more = {"pin": "123456"} | ({"entry": "chip", "second": "TC"} if entry == "chip" else {})
        seen = set()
        for after in range(1, 40):
            await b.terminal.do("cut", after=after, landed=landed)
            reply = await b.terminal.pay(card, 100 + after, **more)
            if "error" not in reply:
                break
            await b.boot()
            books = await b.books()
            seen.add((books["owed"][0][1] if books["owed"] else "", b.difference(books) != 0))
            assert b.difference(books) == 0 or books["owed"]
            await b.terminal.do("settle_owed")
            books = await b.books()
            assert books["owed"] == [] and b.difference(books) == 0
        assert 5 < after < 39
        assert ("98", True) in seen and ("", False) in seen
        assert entry == "tap" or ("96", True) in seen


async def test_a_cut_at_any_flash_write_of_a_reversal_leaves_no_difference() -> None:
    """The host may have settled it while the terminal still owes it: again is harmless."""
    async with bed() as b:
        await b.terminal.do("sign_on")
        card = cards.load("quick")
        for after in range(1, 40):
            await b.boot(reply_ms=300)
            b.acquirer.triggers.fault("lost", 1, mti="0200")
            assert (await b.terminal.pay(card, 100 + after))["error"] == "ReplyTimeout"
            assert b.difference(await b.books()) == 100 + after
            await b.terminal.do("cut", after=after, landed=256)
            if "error" not in await b.terminal.do("settle_owed"):
                break
            await b.boot()
            books = await b.books()
            assert b.difference(books) == 0 or books["owed"]
            await b.terminal.do("settle_owed")
            books = await b.books()
            assert books["owed"] == [] and b.difference(books) == 0
        assert 3 < after < 39
