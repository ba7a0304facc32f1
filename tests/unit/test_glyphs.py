"""Widths and line breaks; tests/oracle compares the glyphs themselves with their sources."""

import gc

import framebuf
import glyphs


def frame():
    picture = framebuf.FrameBuffer(bytearray(320 * 120), 320, 240, framebuf.GS4_HMSB)
    picture.fill(5)
    return picture


def test_width_by_size():
    assert glyphs.width("ab 中", 16) == 8 + 8 + 8 + 16
    assert glyphs.width("中", 24) in (16, 24)
    assert glyphs.width("00", 40) == 2 * glyphs.width("7", 40)
    assert glyphs.width("", 24) == 0


def test_a_size_that_is_none_is_refused():
    for call in (glyphs.width, lambda text, size: glyphs.wrap(text, size, 100)):
        try:
            call("a", 20)
        except ValueError:
            continue
        raise AssertionError


def test_draw_leaves_the_background_and_other_colours():
    for colour in (0, 4, 15):
        picture = frame()
        glyphs.draw(picture, "中A", 10, 20, 16, colour)
        seen = {picture.pixel(x, y) for x in range(8, 40) for y in range(18, 40)}
        assert seen == {5, colour}


def test_what_lies_outside_is_cut_off():
    picture = frame()
    glyphs.draw(picture, "中中中", -20, -8, 16, 1)
    glyphs.draw(picture, "中中中", 310, 235, 24, 1)
    assert {picture.pixel(x, 100) for x in range(320)} == {5}
    assert {picture.pixel(100, y) for y in range(240)} == {5}


def test_wrap_at_words_ideographs_and_newlines():
    assert glyphs.wrap("one two three", 16, 64) == ["one two", "three"]
    assert glyphs.wrap("请插入银行卡", 16, 48) == ["请插入", "银行卡"]
    assert glyphs.wrap("a\n\nb", 16, 80) == ["a", "", "b"]
    assert glyphs.wrap("", 16, 80) == [""]
    assert glyphs.wrap("abcdefgh", 16, 24) == ["abc", "def", "gh"]
    assert glyphs.wrap("ab 中文 cd", 16, 56) == ["ab 中文", "cd"]


def test_no_line_starts_with_a_closing_mark():
    assert glyphs.wrap("请插卡。请", 16, 48) == ["请插", "卡。请"]


def test_wrapped_lines_fit():
    text = "Card was removed. 卡片已取出，请重新插入后再试（错误 12345678901234567890）。"
    for size in (16, 24):
        for pixels in range(48, 330, 13):
            lines = glyphs.wrap(text, size, pixels)
            assert "".join(lines).replace(" ", "") == text.replace(" ", "")
            assert all(glyphs.width(line, size) <= pixels for line in lines), (size, pixels)


def test_drawing_leaves_no_garbage_behind():
    picture = frame()
    texts = [chr(0x5000 + n) + "商户" for n in range(64)]
    glyphs.draw(picture, "中", 0, 0, 24, 1)
    gc.collect()
    before = gc.mem_free()
    for text in texts:
        glyphs.draw(picture, text, 0, 0, 24, 1)
    gc.collect()
    assert before - gc.mem_free() < 512
