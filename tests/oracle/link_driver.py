"""Runs inside MicroPython: a terminal without a counter.

It is provisioned as the workshop does, then told by JSON lines what to do, and answers
each with a JSON line. test_link_acquirer.py drives it. Flash is in memory, the network is this
machine's; only names are looked up in a table of the test's.
"""

import asyncio
import json
import sys

import pinmac
import vfs

from firmware.estate import provision
from firmware.estate.keystore import unseal_all
from firmware.estate.parameters import Parameters
from firmware.ledger.errors import LedgerError
from firmware.ledger.ledger import Ledger
from firmware.ledger.record import SALE, CardData
from firmware.ledger.vault import PIN, Vault
from firmware.link import connection
from firmware.link.acquirer import Link
from firmware.link.errors import LinkError
from tests.unit.flashbed import Clock, Flash

FOLDERS = ("/journal", "/keys", "/data")


class Network:
    """The `socket` of the connection, with a host file of its own."""

    ports = {}

    def __init__(self, real):
        self._real = real
        self.socket = real.socket
        self.SOCK_STREAM = real.SOCK_STREAM

    def getaddrinfo(self, host, port, *rest):
        if host not in self.ports:
            raise OSError(-2)
        return self._real.getaddrinfo("127.0.0.1", self.ports[host], 0, self.SOCK_STREAM)


class Radio:
    """devices.Radio that is there."""

    def connected(self):
        return True


class Terminal:
    """What app.run composes, as far as money goes."""

    def __init__(self):
        self.flash = {}
        self.log = []
        self.clock = Clock()
        for folder in FOLDERS:
            self.flash[folder] = Flash(32)
            self.flash[folder].format()
            self.flash[folder].mount(folder)

    def boot(self, reply_ms):
        """As after power-on: keys unsealed, the journal replayed and recovered."""
        vfs.umount("/journal")
        self.flash["/journal"] = self.flash["/journal"].power_on()
        self.flash["/journal"].mount("/journal")
        for slot in range(32):
            pinmac.erase(slot)
        notices = unseal_all()
        vault = Vault()
        self.config = Parameters.load(vault)
        self.config.reply_ms = reply_ms
        self.config.connect_ms = 3000
        self.ledger = Ledger("/journal", vault, self.clock)
        changed = self.ledger.recover()
        self.link = Link(self.config, self.ledger, self.clock, Radio(), self.log.append)
        return {"notices": notices, "changed": [txn.trace for txn in changed]}

    async def sale(self, order):
        """One sale; what the payer presented comes ready from the test."""
        async with self.ledger.begin(SALE, order["amount"], "01") as txn:
            block = None
            if order.get("pin"):
                pinmac.pin_begin()
                for digit in order["pin"]:
                    pinmac.pin_digit(int(digit))
                block = pinmac.pin_block(PIN, 0, order["pan"])
            txn.card = CardData(
                order["entry"], order["pan"], order["expiry"], order["psn"],
                bytearray(bytes.fromhex(order["track2"])), bytes.fromhex(order["chip"]), block,
            )  # fmt: skip
            reply = await self.link.authorise(txn)
            if order.get("second") == "TC":
                txn.complete(tvr="0000000000")
            elif order.get("second") == "AAC":
                txn.reverse("06")
        return {
            "code": reply.code, "approved": reply.approved, "message": reply.message,
            "reference": reply.reference, "authorisation_code": reply.authorisation_code,
            "chip": reply.chip.hex(), "trace": txn.trace, "state": txn.state_name,
        }  # fmt: skip

    async def do(self, order):
        what = order["do"]
        if what == "boot":
            Network.ports = order["ports"]
            return self.boot(order["reply_ms"])
        if what == "sale":
            return await self.sale(order)
        if what == "sign_on":
            result = await self.link.sign_on("01")
            return {name: getattr(result, name) for name in (
                "clock_step", "clock_alarm", "batch_adopted", "batch_differs",
            )}  # fmt: skip
        if what == "books":
            totals = self.ledger.totals()
            return {
                "owed": [[t.trace, t.reason, t.tries] for t in self.ledger.owed()],
                "debit": [totals.debit_count, totals.debit_amount], "batch": self.ledger.batch,
                "signed_on": self.link.signed_on, "wish": self.link.wish, "now": self.clock.now(),
                "states": [[t.trace, t.state_name] for t in self.ledger.transactions()],
                "stuck": self.link.stuck() is not None, "log": self.log,
            }  # fmt: skip
        if what == "cut":
            flash = self.flash["/journal"]
            flash.cut_at = flash.operations + order["after"]
            flash.landed = order["landed"]
            return {}
        if what == "by_hand":
            self.link.settle_by_hand(self.link.stuck(), "00")
            return {}
        return {"result": await getattr(self.link, what)()}


async def serve(terminal):
    """Orders until the input ends."""
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        try:
            answer = await terminal.do(json.loads(line))
        except (LinkError, LedgerError, OSError) as error:
            answer = {"error": type(error).__name__, "sentence": str(error)}
        print(json.dumps(answer))


connection.socket = Network(connection.socket)
terminal = Terminal()
finished = provision.run(sys.stdin.buffer, sys.stdout.buffer, terminal.clock)
if finished:
    asyncio.run(serve(terminal))
