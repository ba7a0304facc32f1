"""The printer model against python-escpos and Unifont's file, and our driver against the model."""

import io
import os
import subprocess

import numpy as np
import pytest
from escpos.printer import Serial
from PIL import Image

from tests.oracle.desk import INTERPRETER, REPO, PtyHost, StepHost
from tools.sim.chips.thermal import US_PER_ROW, ThermalPrinter
from tools.toolchain.fonts import unifont

COPY = b"\x1b@one line\ntwo lines\nthree\n"


@pytest.fixture
def host():
    """A still clock."""
    return StepHost()


@pytest.fixture
def printer(host):
    """A model on that clock."""
    model = ThermalPrinter()
    model.attach(host)
    return model


@pytest.fixture
def wired():
    """A model behind a pty."""
    model = ThermalPrinter()
    host = PtyHost(model)
    yield host
    host.close()


@pytest.fixture
def foreign(wired):
    """python-escpos on that pty."""
    device = Serial(devfile=wired.path, timeout=2, profile="POS-5890", dsrdtr=False)
    yield device
    device.close()


def settle(wired):
    """Wait until the model has printed all it got."""
    wired.settle()
    assert not wired.chip.busy


def ink(printer):
    """The paper as rows of dots."""
    paper = np.frombuffer(b"".join(printer.rows), np.uint8).reshape(-1, 48)
    return np.unpackbits(paper, axis=1).astype(bool)


def portrait():
    """384 by 72 dots without symmetry; 72 is a whole number of 24-dot strips."""
    y, x = np.mgrid[0:72, 0:384]
    return ((x * 7 + y * 3) % 11 < 4) | ((x // 30 + y // 9) % 3 == 0)


# ---- python-escpos


@pytest.mark.parametrize("how", ["bitImageRaster", "graphics", "bitImageColumn"])
def test_a_picture_is_the_same_by_every_command(wired, foreign, how):
    dots = portrait()
    foreign.image(Image.fromarray(~dots), impl=how)
    settle(wired)
    assert np.array_equal(ink(wired.chip), dots)
    assert wired.chip.unknown == []


def test_their_status_calls_understand_our_answers(wired, foreign):
    assert foreign.is_online()
    assert foreign.paper_status() == 2
    wired.chip.set(near_end=True)
    assert foreign.paper_status() == 1
    wired.chip.set(paper=False)
    assert foreign.paper_status() == 0
    assert not foreign.is_online()
    wired.chip.set(silent=True)
    assert not foreign.is_online()


def test_their_text_and_styles(wired, foreign):
    foreign.set(align="center", bold=True, double_height=True, double_width=True)
    foreign.textln("SALE")
    foreign.set(align="left", bold=False, normal_textsize=True)
    foreign.textln("测试商户有限公司")
    foreign.set(invert=True)
    foreign.textln("plain")
    foreign.set(invert=False)
    foreign.cut()
    settle(wired)
    assert wired.chip.text[:3] == [" " * 12 + "SALE", "测试商户有限公司", "plain"]
    assert wired.chip.unknown == []
    rows = ink(wired.chip)
    assert rows[:48].any(axis=0).nonzero()[0].min() >= 144, "four characters of 24 dots, centred"
    assert rows[78:108][-24:, :60].mean() > 0.5, "white on black"


def test_their_native_qr_is_the_code_segno_draws(wired, foreign):
    import segno

    foreign.qr("https://example.test/pay?n=1", native=True, size=4, ec=1)
    settle(wired)
    matrix = segno.make_qr("https://example.test/pay?n=1", error="M", boost_error=False).matrix
    wanted = np.kron(np.array([list(row) for row in matrix], bool), np.ones((4, 4), bool))
    assert np.array_equal(ink(wired.chip)[:, :wanted.shape[1]], wanted)


def test_their_bar_codes_come_out(wired):
    # The profile of the others draws bar codes itself.
    foreign = Serial(devfile=wired.path, timeout=2, profile="default", dsrdtr=False)
    foreign.barcode("4006381333931", "EAN13", height=50, width=2, function_type="A")
    foreign.barcode("{BSP000001", "CODE128", height=50, width=2, function_type="B")
    settle(wired)
    foreign.close()
    assert wired.chip.unknown == []
    assert "4006381333931" in "".join(wired.chip.text)
    bars = ink(wired.chip)[10]
    edges = np.diff(bars.astype(int)).nonzero()[0]
    assert edges[-1] - edges[0] == 95 * 2, "EAN-13 is 95 modules"


# ---- the font


def expected_cell(glyph):
    """A glyph at one and a half its size: a dot is black when half of its area is."""
    columns = len(glyph) // 16 * 8
    bits = [[glyph[y * columns // 8 + x // 8] >> (7 - x % 8) & 1 for x in range(columns)]
            for y in range(16)]
    cell = np.zeros((24, columns * 3 // 2), bool)
    for y in range(24):
        for x in range(cell.shape[1]):
            area = sum(bits[(2 * y + j) // 3][(2 * x + i) // 3] for j in (0, 1) for i in (0, 1))
            cell[y, x] = area >= 2
    return cell


@pytest.mark.parametrize("text", list("中镕㐀囍￥●A0~"))
def test_a_character_is_unifonts(printer, host, text):
    printer.receive(text.encode("gb18030") + b"\n")
    host.advance(1_000_000)
    glyph = unifont()[ord(text)]
    if len(glyph) == 16 and not text.isascii():
        glyph = b"".join((row << 4).to_bytes(2, "big") for row in glyph)
    cell = expected_cell(glyph)
    rows = ink(printer)
    assert rows.shape[0] == 30 and cell.any()
    assert np.array_equal(rows[6:, :cell.shape[1]], cell)
    assert printer.text == [text]


def test_all_of_gb2312_is_decoded_as_pythons_codec_does(printer, host):
    codes = [bytes((r + 0xA0, c + 0xA0)) for r in range(16, 88) for c in range(1, 95)]
    codes = [code for code in codes if code.decode("gb18030", "ignore").isalpha()]
    for start in range(0, len(codes), 16):
        printer.receive(b"".join(codes[start:start + 16]) + b"\n")
    host.advance(60_000_000)
    wanted = b"".join(codes).decode("gb18030")
    assert len(wanted) > 6700 and "".join(printer.text) == wanted


# ---- time and faults


def test_lines_come_at_print_speed(printer, host):
    printer.receive(COPY)
    assert printer.text == []
    host.advance(30 * US_PER_ROW)
    assert printer.text == ["one line"]
    host.advance(60 * US_PER_ROW)
    assert printer.text == ["one line", "two lines", "three"]
    image = Image.open(io.BytesIO(printer.png()))
    assert image.size == (384, 90)
    printer.tear_off()
    assert (printer.rows, printer.text) == ([], [])


def test_a_report_waits_for_its_turn_and_a_status_does_not(printer, host):
    printer.receive(COPY + b"\x1dr\x01\x10\x04\x01")
    assert bytes(host.sent) == b"\x12"
    host.advance(89 * US_PER_ROW)
    assert bytes(host.sent) == b"\x12"
    host.advance(2 * US_PER_ROW)
    assert bytes(host.sent) == b"\x12\x00"


@pytest.mark.parametrize(
    ("fault", "mended", "statuses"),
    [
        ({"paper": False}, {"paper": True}, (0x1A, 0x32, 0x12, 0x7E)),
        ({"cover": True}, {"cover": False}, (0x1A, 0x16, 0x12, 0x12)),
        ({"hot": True}, {"hot": False}, (0x1A, 0x52, 0x52, 0x12)),
        ({"jam_line": 1}, {"jam_line": None}, (0x1A, 0x52, 0x16, 0x12)),
    ],
)
def test_a_fault_stops_the_head_until_it_is_mended(printer, host, fault, mended, statuses):
    printer.receive(COPY)
    host.advance(10 * US_PER_ROW)
    printer.set(**fault)
    host.advance(1_000_000)
    assert printer.text == ["one line"], "the line under the head is finished"
    printer.receive(b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04")
    assert tuple(host.sent) == statuses
    printer.set(**mended)
    host.advance(1_000_000)
    assert printer.text == ["one line", "two lines", "three"]


def test_forgetting_clears_a_half_received_picture(printer, host):
    printer.receive(b"\x1dv0\x00\x30\x00\x10\x00" + bytes(100) + b"\x10\x05\x02after\n")
    host.advance(1_000_000)
    assert printer.text == ["after"]


def test_the_stream_may_be_split_anywhere(host):
    picture = b"\x1dv0\0\1\0\2\0\x55\xaa"
    text = "商户a￥\n".encode("gb18030")
    stream = b"\x1b@\x1cA\x1c&" + text + b"\x1b!\x30x\n" + picture
    papers = []
    for size in (1, 3, len(stream)):
        model = ThermalPrinter()
        model.attach(host)
        for start in range(0, len(stream), size):
            model.receive(stream[start:start + size])
        host.advance(1_000_000)
        papers.append((model.rows, model.text, model.unknown))
    assert papers[0] == papers[1] == papers[2]
    assert papers[0][2] == ["1c 41"]


# ---- our driver, in MicroPython, on the same pty

DRIVER = """
import asyncio, io, select, sys, errors, escpos
from drivers.thermal import Thermal
port = open(sys.argv[1], "r+b", 0)
poller = select.poll()
poller.register(port, select.POLLIN)
class Uart(io.IOBase):
    def any(self): return 1 if poller.poll(0) else 0
    def read(self, count): return port.read(count)
    def readinto(self, buffer):
        data = port.read(len(buffer))
        buffer[:len(data)] = data
        return len(data)
    def write(self, data): return port.write(data)
    def txdone(self): return True
    def ioctl(self, request, argument):
        if request == 3: return argument & (4 | self.any())
        return -1
printer = Thermal(Uart())
async def attempt(what):
    try:
        print("ok", await what)
    except errors.DeviceError as error:
        print(type(error).__name__)
async def main():
    for step in sys.argv[2:]:
        print(step, end=" ")
        if step == "check": await attempt(printer.check())
        elif step == "near": await attempt(printer.near_end())
        elif step == "cancel":
            try:
                await asyncio.wait_for_ms(printer.print(document(40)), 400)
            except asyncio.TimeoutError:
                print("cancelled")
        else:
            await attempt(printer.print(document(int(step))))
def document(lines):
    d = escpos.Document()
    for n in range(lines):
        d.columns("行 %d" % n, "RMB 1.00")
    return d.finish()
asyncio.run(main())
"""


def drive(wired, *steps, meanwhile=None):
    """Run the driver through steps; its words, one line a step."""
    environment = {**os.environ, "MICROPYPATH": "lib:build/gen:.:.frozen"}
    process = subprocess.Popen(
        [str(INTERPRETER), "-c", DRIVER, wired.path, *steps],
        cwd=REPO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    if meanwhile is not None:
        meanwhile()
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out.split("\n")[:-1]


def row(number):
    """A line of the driver's document."""
    return f"行 {number}".ljust(32 - len("RMB 1.00") - 1) + "RMB 1.00"


def test_our_driver_returns_when_all_is_on_paper(wired):
    assert drive(wired, "check", "near", "20") == ["check ok None", "near ok False", "20 ok None"]
    assert wired.chip.text == [row(n) for n in range(20)]
    assert not wired.chip.busy


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"paper": False}, "PaperOut"), ({"cover": True}, "CoverOpen"),
        ({"hot": True}, "PrinterHot"), ({"silent": True}, "DeviceSilent"),
        ({"jam_line": 0}, "PrinterError"),
    ],
)
def test_our_driver_names_what_is_wrong(wired, fault, name):
    wired.chip.set(**fault)
    assert drive(wired, "check", "3") == [f"check {name}", f"3 {name}"]
    assert wired.chip.text == []


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"paper": False}, "PaperOut"), ({"hot": True}, "PrinterHot"),
        ({"silent": True}, "DeviceSilent"), ({"cover": True}, "CoverOpen"),
    ],
)
def test_our_driver_leaves_nothing_behind_when_printing_stops(wired, fault, name):
    def stop():
        wait_for(lambda: len(wired.chip.text) >= 5)
        with wired.lock:
            wired.chip.set(**fault)

    assert drive(wired, "60", meanwhile=stop) == [f"60 {name}"]
    printed = len(wired.chip.text)
    assert 5 <= printed < 60
    wired.chip.tear_off()
    with wired.lock:
        wired.chip.set(**{key: key == "paper" for key in fault})
    assert drive(wired, "2") == ["2 ok None"]
    assert wired.chip.text == [row(0), row(1)]


def test_a_cancelled_document_leaves_nothing_behind(wired):
    words = drive(wired, "cancel", "check", "1")
    assert words == ["cancel cancelled", "check ok None", "1 ok None"]
    assert wired.chip.text[-1] == row(0)
    assert len(wired.chip.text) < 40


def wait_for(condition, limit_s=10.0):
    """Poll until it holds. AssertionError when it never does."""
    import time

    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
