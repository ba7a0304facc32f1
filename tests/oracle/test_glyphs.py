"""Text as the firmware draws it: against Unifont's file, Python's codec, the screen's reader."""

import json
import time

import numpy as np
import pytest

from tests.oracle.desk import run_on_device
from tools.sim import glyphs
from tools.toolchain import fonts

# Draws lines on a frame and prints it as one digit of colour a pixel.
DRAW = """
import framebuf, glyphs, json
frame = framebuf.FrameBuffer(bytearray(320 * 120), 320, 240, framebuf.GS4_HMSB)
frame.fill(0)
ends = [glyphs.draw(frame, *line) for line in LINES]
widths = [glyphs.width(line[0], line[3]) for line in LINES]
for y in range(240):
    print("".join("%x" % frame.pixel(x, y) for x in range(320)))
print(json.dumps([ends, widths]))
"""
PALETTE = np.array([[n * 16, 255 - n * 9, n * 37 % 256] for n in range(16)], np.uint8)


def draw(*lines):
    """Lines of (text, x, y, size, colour): the frame's colours, and where each line ended."""
    out = run_on_device(f"LINES = {lines!r}" + DRAW).strip().split("\n")
    frame = np.array([[int(digit, 16) for digit in row] for row in out[:240]])
    return frame, json.loads(out[240])


def screen(frame):
    """The frame as the panel shows it."""
    return PALETTE[frame].tobytes()


def test_gb18030_is_pythons_for_every_character_that_is_no_surrogate_or_private():
    out = run_on_device(
        "import gb18030\n"
        "def rows():\n"
        "    for start in list(range(0, 0x10000, 64)) + [0x10000, 0x1F600, 0x20000, 0x10FFC0]:\n"
        "        if not 0xD800 <= start < 0xF900:\n"
        "            text = ''.join(chr(p) for p in range(start, start + 64))\n"
        "            print(hex(start), gb18030.encode(text).hex())\n"
        "rows()\n"
    ).split()
    starts = [int(start, 16) for start in out[::2]]
    assert len(starts) > 800
    for start, code in zip(starts, out[1::2]):
        wanted = "".join(map(chr, range(start, start + 64))).encode("gb18030")
        assert bytes.fromhex(code) == wanted, hex(start)


def test_gb18030_replaces_what_has_no_place():
    out = run_on_device("import gb18030\nprint(gb18030.encode('a\\ue000\\uf8ffb'))")
    assert out.strip() == "b'a??b'"


def test_every_gb2312_glyph_is_unifonts():
    there, points = fonts.unifont(), [p for p in fonts.gb_points() if p]
    assert len([p for p in points if 0x4E00 <= p <= 0x9FA5]) >= 6763
    drawn = run_on_device(
        "import framebuf, glyphs, sys\n"
        "buffer = bytearray(128)\n"
        "frame = framebuf.FrameBuffer(buffer, 16, 16, framebuf.GS4_HMSB)\n"
        "def character(point):\n"  # chr() would fill MicroPython's table of names
        "    if point < 0x80: return str(bytes((point,)), 'utf-8')\n"
        "    tail = bytes((0x80 | point & 0x3F,))\n"
        "    if point < 0x800: return str(bytes((0xC0 | point >> 6,)) + tail, 'utf-8')\n"
        "    head = bytes((0xE0 | point >> 12, 0x80 | point >> 6 & 0x3F))\n"
        "    return str(head + tail, 'utf-8')\n"
        "for point in range(0x20, 0x10000):\n"
        "    if 0xD800 <= point < 0xF900: continue\n"
        "    frame.fill(0)\n"
        "    glyphs.draw(frame, character(point), 0, 0, 16, 15)\n"
        "    print(point, buffer.hex())\n",
        limit_s=200,
    ).split()
    seen = {int(p): rows for p, rows in zip(drawn[::2], drawn[1::2])}

    def wanted(point):
        glyph = there[point] if point < 0x7F else fonts.widened(there[point])
        bits = np.unpackbits(np.frombuffer(glyph, np.uint8)).reshape(16, -1)
        cell = np.zeros((16, 16), np.uint8)
        cell[:, :bits.shape[1]] = bits * 15
        return (cell[:, ::2] << 4 | cell[:, 1::2]).tobytes().hex()

    assert all(seen[p] == wanted(p) for p in [*range(0x21, 0x7F), *points])
    box = wanted(0x25A1)
    assert seen[0xA5] == seen[0xFFE5], "the half-width yen sign is the full-width one"
    missing = [p for p in seen if p >= 0x7F and p not in points and p != 0xA5]
    assert len(missing) > 40_000 and all(seen[p] == box for p in missing)


def test_a_line_ends_where_width_says():
    lines = [
        ("￥1,234.56-", 5, 0, 40, 1), ("请 Enter ●", 300, 50, 24, 2), ("中a b", -8, 80, 16, 3),
    ]
    _, (ends, widths) = draw(*lines)
    assert [end - line[1] for end, line in zip(ends, lines)] == widths
    assert widths[2] == 16 + 8 + 8 + 8


def test_digits_of_an_amount_are_equally_wide():
    _, (_, widths) = draw(*[(d * 3, 0, 0, size, 1) for size in (24, 40) for d in "0123456789"])
    assert len(set(widths[:10])) == 1 and len(set(widths[10:])) == 1


TEXTS = [
    ("请插卡", 10, 3, 24, 1), ("Insert card", 120, 3, 24, 1), ("￥1,234.56", 40, 60, 40, 7),
    ("测试商户（北京）Shop 5%", 4, 120, 16, 3), ("余额不足 ●↑", 4, 150, 24, 4),
]


@pytest.fixture(scope="module")
def written():
    """A screen with some text on it."""
    return screen(draw(*TEXTS)[0])


@pytest.mark.parametrize("line", TEXTS)
def test_find_sees_what_is_drawn(written, line):
    text, x, y, size, colour = line
    (place,) = glyphs.find(written, text)
    assert (place.size, place.colour) == (size, tuple(PALETTE[colour].tolist()))
    assert 0 <= place.x - x < 24 and 0 <= place.y - y < 24
    assert glyphs.find(written, text[1:])


@pytest.mark.parametrize("text", ["请插", "12", "shop", "1,234.57", "退卡", "Insert  card"])
def test_find_sees_nothing_else(written, text):
    assert bool(glyphs.find(written, text)) == (text == "请插")


def test_a_pixel_too_many_or_too_few_is_seen(written):
    for colour in (1, 0):
        damaged = np.frombuffer(written, np.uint8).reshape(240, 320, 3).copy()
        place = glyphs.find(written, "Insert")[0]
        window = damaged[place.y:place.y + 10, place.x:place.x + 10]
        there = (window == PALETTE[1 - colour]).all(axis=2).nonzero()
        window[there[0][0], there[1][0]] = PALETTE[colour]
        assert not glyphs.find(damaged.tobytes(), "Insert")
        assert glyphs.find(damaged.tobytes(), "card")


def test_read_gives_the_lines(written):
    assert glyphs.read(written) == [
        "请插卡 Insert card", "￥1,234.56", "测试商户（北京）Shop 5%", "余额不足 ●↑",
    ]


def test_a_search_is_quick(written):
    glyphs.find(written, "warm")
    begun = time.process_time()
    for number in range(20):
        glyphs.find(written, f"Card {number}")
    assert (time.process_time() - begun) / 20 < 0.03


def test_the_generated_modules_are_the_same_each_time(tmp_path):
    assert fonts.main([str(tmp_path)]) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert fonts.main([str(tmp_path), "--check"]) == 0
    (tmp_path / "glyphs40.py").write_text("POINTS = b''\n")
    assert fonts.main([str(tmp_path), "--check"]) == 1
    assert fonts.main([str(tmp_path)]) == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_only_the_wording_of_the_screens_is_made_large(tmp_path):
    (tmp_path / "screen.py").write_text('"""说明"""\nTITLE = f"{1}元"\n# 注\nx = "中"\n')
    assert fonts.wording(tmp_path) == {"元", "中"}
