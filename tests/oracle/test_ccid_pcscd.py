"""The contact reader's model against Debian's pcscd and libccid, with pyscard on top.

Each daemon runs in its own mount namespace, because /run/pcscd is fixed. Stock libccid speaks
TPDUs to a GemPC Twin; with driver option 2 it switches the reader to short APDUs.
"""

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import World
from plain_card import ATR_BOTH, FCI, PlainCard, pattern, with_check

from tools.sim.cards import Gone, load, names
from tools.sim.cards.card import atr
from tools.sim.chips.ccid import CcidReader

pytestmark = pytest.mark.timeout(90)

PCSCD = "/usr/sbin/pcscd"
TWIN = Path("/usr/lib/pcsc/drivers/serial/libccidtwin.so")
BUNDLE = Path("/usr/lib/pcsc/drivers/ifd-ccid.bundle")
CLIENT = Path(__file__).with_name("pcsc_client.py")
EMPTY = re.compile(rb"\x03\x06\x81\x00{5}.\x02", re.DOTALL)
"""How a poll of the slot is answered that holds no card."""
SCRIPT = """
mount -t tmpfs tmpfs /run && mkdir /run/pcscd || exit 1
"$1" --foreground --config "$2" >"$3" 2>&1 </dev/null &
"$4" "$5"
kill $!
wait
"""


class PcscFault(Exception):
    """A PC/SC function failed in the client."""


class Pcsc:
    """A pcscd on the model's pty and a pyscard client, in a namespace of their own."""

    def __init__(self, folder: Path, pty: str, options: str | None) -> None:
        for needed in (Path(PCSCD), TWIN):
            if not needed.exists():
                pytest.fail(f"{needed} is missing: install Debian's pcscd and libccid.")
        if shutil.which("unshare") is None:
            pytest.fail("unshare is missing: install Debian's util-linux.")
        self._log = folder / "pcscd.log"
        (folder / "line").symlink_to(pty)
        config = folder / "reader.conf"
        config.write_text(
            'FRIENDLYNAME "Suanpan reader"\n'
            f"DEVICENAME {folder}/line:GemPCTwin\nLIBPATH {TWIN}\nCHANNELID 1\n"
        )
        environment = dict(os.environ)
        if options is not None:
            environment["PCSCLITE_HP_DROPDIR"] = str(self._with_options(folder, options))
        root = [] if os.geteuid() == 0 else ["--map-root-user"]
        namespace = ["unshare", *root, "--mount", "--pid", "--fork", "--kill-child"]
        words = [PCSCD, str(config), str(self._log), sys.executable, str(CLIENT)]
        self._process = subprocess.Popen(
            [*namespace, "bash", "-c", SCRIPT, "pcsc", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="pcsc")
        self._reader.start()

    @staticmethod
    def _with_options(folder: Path, options: str) -> Path:
        """A copy of libccid's bundle whose Info.plist has other driver options."""
        drivers = folder / "drivers"
        shutil.copytree(BUNDLE, drivers / BUNDLE.name)
        plist = drivers / BUNDLE.name / "Contents/Info.plist"
        text = plist.read_text()
        stock = "<key>ifdDriverOptions</key>\n\t<string>0x0000</string>"
        assert stock in text, "libccid's Info.plist has no driver options to change."
        plist.write_text(text.replace(stock, stock.replace("0x0000", options)))
        return drivers

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put({"error": "The client ended."})

    def answer(self) -> Any:
        """The next answer; PcscFault when it is a failure."""
        try:
            answer = self._answers.get(timeout=30)
        except queue.Empty:
            pytest.fail(f"The PC/SC client says nothing.\n{self._log.read_text()}")
        if "error" in answer:
            raise PcscFault(answer["error"] + "\n" + self._log.read_text())
        return answer["value"]

    def ask(self, do: str, **fields: Any) -> Any:
        """Give an order and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self._process.stdin.flush()
        return self.answer()

    def transmit(self, command: str) -> bytes:
        """One APDU from hex; the response."""
        return bytes.fromhex(self.ask("transmit", command=command))

    def exchange(self, command: bytes) -> bytes:
        """One APDU with what T=0 makes of it: GET RESPONSE after 61, the right Le after 6C."""
        answer = self.transmit(command.hex())
        if answer[-2] == 0x6C:
            answer = self.transmit((command[:4] + answer[-1:]).hex())
        whole = answer
        while whole[-2] == 0x61:
            whole = whole[:-2] + self.transmit(f"00C00000{whole[-1]:02X}")
        return whole

    def close(self) -> None:
        """End client and daemon."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._reader.join(5)
        self._process.stdout.close()


class Bed:
    """A model, the world it lives in, and PC/SC in front of it."""

    def __init__(self, world: World, folder: Path, options: str | None) -> None:
        self.model = CcidReader()
        self._world = world
        pty, self.wire = world.pty(self.model)
        self.pcsc = Pcsc(folder, pty, options)

    def insert(self, card: Any) -> None:
        """Put a card into an empty slot and wait until pcscd has noticed."""
        self.remove()
        self._world.call(self.model.insert, card)
        assert self.pcsc.ask("await", present=True)

    def remove(self) -> None:
        """Take out what is in the slot and wait until pcscd has noticed: a poll found it empty."""
        self._world.call(self.model.remove)
        self.wire.sent.clear()
        deadline = time.monotonic() + 5
        while not EMPTY.search(self.wire.sent):
            assert time.monotonic() < deadline, "pcscd does not poll the slot."
            time.sleep(0.05)
        assert self.pcsc.ask("await", present=False)

    def swap(self, card: Any) -> None:
        """Put another card in; pcscd has seen the empty slot between, or it may not look again."""
        if self.model.card is not None:
            self.remove()
        self.insert(card)


@pytest.fixture(scope="module", params=[None, "0x0002"], ids=["tpdu", "apdu"])
def bed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with World() as world:
        bed = Bed(world, tmp_path_factory.mktemp("pcsc"), request.param)
        try:
            assert bed.pcsc.answer() == "ready"
            yield bed
        finally:
            bed.pcsc.close()


@pytest.fixture(autouse=True)
def disconnected(bed: Bed) -> Iterator[None]:
    """No test leaves its connection to the next one."""
    yield
    bed.pcsc.ask("disconnect")


def test_the_level_is_the_one_the_options_ask_for(
    bed: Bed, request: pytest.FixtureRequest
) -> None:
    """Escape `1F 02` is seen exactly with driver option 2: the second pass is no repeat."""
    assert (b"\x1f\x02" in bed.wire.sent) == ("apdu" in request.node.name)


def test_t0_card(bed: Bed) -> None:
    """Selection with GET RESPONSE, wrong Le, 255 bytes out, 256 bytes in, on T=0."""
    card = PlainCard()
    bed.insert(card)
    assert bytes.fromhex(bed.pcsc.ask("connect", protocol=0)) == card.atr
    assert bed.pcsc.transmit("00A4040008A000000333010102") == bytes((0x61, len(FCI)))
    assert bed.pcsc.transmit(f"00C00000{len(FCI):02X}") == FCI + b"\x90\x00"
    assert bed.pcsc.transmit("80E0002000") == b"\x6c\x20"
    assert bed.pcsc.transmit("80E0002020") == pattern(0x20) + b"\x90\x00"
    assert bed.pcsc.transmit("80E0010000") == pattern(256) + b"\x90\x00"
    sent = bytes(range(255))
    assert bed.pcsc.transmit("80ED0000FF" + sent.hex()) == b"\x90\x00"
    assert card.taken == sent


def test_t1_card(bed: Bed) -> None:
    """Whole responses on T=1; commands and responses longer than a block are chained."""
    card = PlainCard(t1=True)
    bed.insert(card)
    assert bytes.fromhex(bed.pcsc.ask("connect", protocol=1)) == card.atr
    assert bed.pcsc.transmit("00A4040008A00000033301010200") == FCI + b"\x90\x00"
    assert bed.pcsc.transmit("80E0010000") == pattern(256) + b"\x90\x00"
    sent = bytes(range(255))
    assert bed.pcsc.transmit("80EC0000FF" + sent.hex() + "00") == sent + b"\x90\x00"


@pytest.mark.parametrize("protocol", [0, 1])
def test_card_of_two_protocols(bed: Bed, protocol: int, request: pytest.FixtureRequest) -> None:
    """The host's choice holds; at TPDU level it chooses T=1 by a PPS (ISO 7816-3 clause 9)."""
    card = PlainCard()
    card.atr = with_check(ATR_BOTH)
    bed.insert(card)
    bed.wire.sent.clear()
    bed.pcsc.ask("connect", protocol=protocol)
    whole = FCI + b"\x90\x00"
    answer = bed.pcsc.transmit("00A4040008A000000333010102")
    assert answer == (whole if protocol else bytes((0x61, len(FCI))))
    asked = bytes.fromhex("FF01FE") in bed.wire.sent
    assert asked == (protocol == 1)


@pytest.mark.parametrize("t1", [False, True], ids=["t0", "t1"])
def test_slow_card_is_waited_for(bed: Bed, t1: bool) -> None:
    """2.5 s for one command: CCID time extensions, or S(WTX) blocks."""
    bed.insert(PlainCard(t1=t1))
    bed.pcsc.ask("connect", protocol=int(t1))
    answer = bed.pcsc.transmit("80D0FA0003AABBCC" + ("00" if t1 else ""))
    assert answer == (b"\xaa\xbb\xcc\x90\x00" if t1 else b"\x61\x03")


@pytest.mark.parametrize("t1", [False, True], ids=["t0", "t1"])
def test_pulled_card(bed: Bed, t1: bool) -> None:
    """A card that leaves inside a command fails that command; the next card works."""
    bed.insert(PlainCard(t1=t1))
    bed.pcsc.ask("connect", protocol=int(t1))
    with pytest.raises(PcscFault):
        bed.pcsc.transmit("80F0000000")
    bed.pcsc.ask("disconnect")
    bed.insert(PlainCard(t1=t1))
    bed.pcsc.ask("connect", protocol=int(t1))
    expected = pattern(5) + b"\x90\x00"
    assert bed.pcsc.transmit("80E0000505") == expected


def test_mute_chip_is_seen_and_not_connected(bed: Bed) -> None:
    """A chip without an ATR is in the slot, and no connection to it succeeds."""
    card = PlainCard()
    card.atr = b""
    bed.insert(card)
    with pytest.raises(PcscFault):
        bed.pcsc.ask("connect", protocol=0)


def conversation(card: Any) -> list[bytes]:
    """Selection, processing options and records, for any card of the deck."""
    pse = b"1PAY.SYS.DDF01"
    commands = [bytes((0, 0xA4, 4, 0, len(pse))) + pse + b"\x00", bytes.fromhex("00B2010C00")]
    for application in card.facts.applications:
        aid = bytes.fromhex(application.aid)
        commands.append(bytes((0, 0xA4, 4, 0, len(aid))) + aid + b"\x00")
        commands.append(bytes.fromhex("80A8000002830000"))
        commands += [bytes((0, 0xB2, n, sfi << 3 | 4, 0)) for sfi in (1, 2, 3) for n in (1, 2)]
    return commands


@pytest.mark.parametrize("t1", [False, True], ids=["t0", "t1"])
@pytest.mark.parametrize("name", names())
def test_deck_card_says_over_pcsc_what_it_says_itself(bed: Bed, name: str, t1: bool) -> None:
    """Each card of the deck on either protocol, up to where it leaves."""
    card, same = load(name), load(name)
    if not card.contact or not card.atr:
        bed.swap(card)
        with pytest.raises(PcscFault):
            bed.pcsc.ask("connect", protocol=0)
        return
    card.atr = atr("T=1" if t1 else "T=0", b"SUANPAN")
    bed.swap(card)
    assert bytes.fromhex(bed.pcsc.ask("connect", protocol=int(t1))) == card.atr
    same.reset("contact")
    for command in conversation(card):
        try:
            expected = same.apdu(command)
        except Gone:
            with pytest.raises(PcscFault):
                bed.pcsc.exchange(command)
            assert name == "pulled"
            return
        assert bed.pcsc.exchange(command) == expected
    assert name != "pulled"
