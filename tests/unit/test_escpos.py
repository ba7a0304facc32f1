"""Documents for the printer, byte by byte; numbers are of Epson's "ESC/POS Command Reference"."""

import escpos


def commands(write):
    """What a call adds to an empty document."""
    document = escpos.Document()
    start = len(document.finish())
    write(document)
    return document.finish()[start:]


def refuses(call, *arguments):
    try:
        call(*arguments)
    except ValueError:
        return True
    return False


def test_a_document_starts_from_known_modes_in_chinese():
    assert escpos.Document().finish() == b"\x1b@\x1c&"


def test_text_is_gb18030():
    assert commands(lambda d: d.line("消费 12")) == b"\xcf\xfb\xb7\xd1 12\n"
    assert commands(lambda d: d.text("￥")) == b"\xa3\xa4"


def test_modes():
    assert commands(lambda d: d.bold(True)) == b"\x1bE\x01"
    assert commands(lambda d: d.bold(False)) == b"\x1bE\x00"
    assert commands(lambda d: d.double(True)) == b"\x1d!\x11"
    assert commands(lambda d: d.size(2, 1)) == b"\x1d!\x10"
    assert commands(lambda d: d.align("left")) == b"\x1ba\x00"
    assert commands(lambda d: d.align("center")) == b"\x1ba\x01"
    assert commands(lambda d: d.align("right")) == b"\x1ba\x02"
    assert commands(lambda d: d.feed(4)) == b"\x1bd\x04"
    assert commands(lambda d: d.cut()) == b"\x1dVB\x00"
    assert refuses(escpos.Document().size, 9, 1)
    assert refuses(escpos.Document().size, 1, 0)
    assert refuses(escpos.Document().align, "middle")


def test_columns_fill_the_line():
    line = commands(lambda d: d.columns("金额", "RMB 1.00"))
    assert len(line) == escpos.COLUMNS + 1
    assert line.startswith(b"\xbd\xf0\xb6\xee  ") and line.endswith(b"  RMB 1.00\n")


def test_columns_that_do_not_fit_take_two_lines():
    lines = commands(lambda d: d.columns("a" * 20, "b" * 12)).split(b"\n")
    assert lines == [b"a" * 20, b" " * 20 + b"b" * 12, b""]


def test_columns_are_half_as_many_in_double_width():
    def write(document):
        document.double(True)
        document.columns("RMB", "9.00")

    assert commands(write) == b"\x1d!\x11" + b"RMB         9.00\n"


def test_a_rule_crosses_the_paper():
    assert commands(lambda d: d.rule()) == b"-" * 32 + b"\n"
    assert commands(lambda d: d.rule("=")) == b"=" * 32 + b"\n"


def test_raster():
    assert commands(lambda d: d.raster(b"\xaa\x55\x01\x80", 16, 2)) == (
        b"\x1dv0\x00\x02\x00\x02\x00\xaa\x55\x01\x80"
    )
    assert refuses(escpos.Document().raster, b"\x00\x00", 16, 2)
    assert refuses(escpos.Document().raster, b"\x00\x00", 12, 1)


def test_a_picture_never_contains_a_real_time_command():
    picture = commands(lambda d: d.raster(b"\x10\x05\x02\x10\x04\x01\x10\x14", 64, 1))[8:]
    assert picture == b"\x00\x05\x02\x00\x04\x01\x00\x14"
    edge = commands(lambda d: (d.raster(b"\x00\x10", 16, 1), d.raster(b"\x04\x00", 16, 1)))
    assert edge[8:10] == b"\x00\x10", "what follows the picture is a command, not its data"


def test_qr_is_model_size_level_store_print():
    assert commands(lambda d: d.qr(b"abc", module=5, level=2)) == (
        b"\x1d(k\x04\x001A2\x00"
        b"\x1d(k\x03\x001C\x05"
        b"\x1d(k\x03\x001E2"
        b"\x1d(k\x06\x001P0abc"
        b"\x1d(k\x03\x001Q0"
    )


def test_width_counts_ideographs_twice():
    assert escpos.width("a中b文") == 6
    assert escpos.width("") == 0


def test_wrap_keeps_words_and_cuts_ideographs():
    assert escpos.wrap("one two three", 8) == ["one two", "three"]
    assert escpos.wrap("本人确认以上交易", 6) == ["本人确", "认以上", "交易"]
    assert escpos.wrap("abcdefgh", 3) == ["abc", "def", "gh"]
    assert escpos.wrap("a\n\nb", 8) == ["a", "", "b"]
    assert escpos.wrap("中a中a", 3) == ["中a", "中a"]
    assert escpos.wrap("", 8) == [""]


def test_wrapped_lines_never_exceed_the_paper():
    text = "Please check 请核对 the amount金额and sign签名, keep your copy (客户联) 12345678901"
    for columns in range(2, 33):
        lines = escpos.wrap(text, columns)
        assert all(escpos.width(line) <= columns for line in lines), columns
        assert "".join(lines).replace(" ", "") == text.replace(" ", ""), columns
