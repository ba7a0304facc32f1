"""GB 18030 by single vectors; tests/oracle compares all of it with CPython's codec."""

import gb18030


def test_one_two_and_four_bytes():
    assert gb18030.encode("A") == b"A"
    assert gb18030.encode("啊") == b"\xb0\xa1"  # GB 2312, 16-01
    assert gb18030.encode("镕") == b"\xe9\x46"  # GBK only
    assert gb18030.encode("丂") == b"\x81\x40"  # the first of GBK/3
    assert gb18030.encode("\u9fa5") == b"\xfd\x9b"  # the last ideograph of GBK
    assert gb18030.encode("é\xa5") == b"\xa8\xa6\x81\x30\x84\x36"
    assert gb18030.encode("\U0001f600") == b"\x94\x39\xfc\x36"


def test_private_use_becomes_a_question_mark():
    assert gb18030.encode("a\ue000b") == b"a?b"


def test_points_are_those_of_the_text():
    text = "aé中\U0001f600z"
    assert list(gb18030.points(text)) == [ord(c) for c in text]
    assert list(gb18030.points("")) == []


def test_code_is_that_of_gb2312_or_nothing():
    assert gb18030.code(0x554A) == 0xB0A1
    assert gb18030.code(0x9555) == 0
    assert gb18030.code(0x41) == 0
