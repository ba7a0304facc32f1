"""Spoilt files for `pos emv --replay`: recordings, terminal data and keys, by a seeded generator.

A file is spoilt as a document (wrong types, huge values, entries lost, doubled or in disorder,
other bytes in a request or an answer) or as text (cut anywhere, wrong UTF-8, signs that YAML
reads in its own way, nesting without end, aliases that multiply).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import yaml

Document = Any
_HUGE = 100_000
_SIGNS = "&*!|>%@{}[]:\"'#-?,\t\x00~`=\\\n\r\x85\u2028\ufeff"
_DIGITS = "0123456789ABCDEF"
_WORDS = ("9000", "6100", "61FF", "6C00", "6CFF", "6283", "6985", "6A81", "6A82", "6A83", "63C0",
          "6F00", "0000", "FFFF")  # fmt: skip
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(10 * ['*' + before])}]\n"
    for before, name in zip("abcdefghi", "bcdefghij")
)
RING = "&a [{req: *a, res: *a}, *a]\n"


def _strange(dice: random.Random) -> Any:
    """A value that belongs nowhere."""
    return dice.choice((
        "", "~", "null", "true", "-1", "0", "1e9", "NaN", "0x", "0x0", "9" * 13, "９９９", "zz",
        "0" * 5, "00" * 259, "FF" * _HUGE, "9" * 9000, "\u0000", "\ud7ff", "é" * 40, [], {},
        ["00"], {"req": "00"}, [[[["00"]]]], {"": ""}, {"aid": "A000000333"},
        "gone", "silent", "00A40400", "80AE800000", "2026-11-23", "A00000033301010100000000000000",
    ))  # fmt: skip


def _places(document: Document, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every part of a document but the whole."""
    if isinstance(document, dict):
        inner = list(document.items())
    elif isinstance(document, list):
        inner = list(enumerate(document))
    else:
        inner = []
    return [place for key, value in inner
            for place in ((*way, key), *_places(value, (*way, key)))]  # fmt: skip


def _holder(document: Document, way: tuple[Any, ...]) -> Any:
    for key in way[:-1]:
        document = document[key]
    return document


def _replaced(document: Document, dice: random.Random) -> Document:
    way = dice.choice(_places(document) or [()])
    if not way:
        return _strange(dice)
    _holder(document, way)[way[-1]] = _strange(dice)
    return document


def _lost(document: Document, dice: random.Random) -> Document:
    places = _places(document)
    if places:
        way = dice.choice(places)
        del _holder(document, way)[way[-1]]
    return document


def _renamed(document: Document, dice: random.Random) -> Document:
    maps = [way for way in _places(document) if isinstance(_holder(document, way), dict)]
    if maps:
        way = dice.choice(maps)
        held = _holder(document, way)
        name = dice.choice(("res", "req", "amount", "9F02", "pin", "", "5A", "applications", "n",
                            "floor_limit", "84", "9F1B", "71", str(dice.random())))  # fmt: skip
        held[name] = held.pop(way[-1])
    return document


def _disordered(document: Document, dice: random.Random) -> Document:
    if isinstance(document, list) and document:
        way = dice.randrange(4)
        if way == 0:
            dice.shuffle(document)
        elif way == 1:
            at = dice.randrange(len(document))
            document[at:at] = [copy.deepcopy(document[at])] * dice.choice((1, 3, 300))
        elif way == 2:
            del document[dice.randrange(len(document)) :]
        else:
            del document[: dice.randrange(len(document))]
    return document


def _other_bytes(document: Document, dice: random.Random) -> Document:
    """A text of hex digits is another one: what a card, a reader or a person might have made."""
    texts = [way for way in _places(document)
             if isinstance(_holder(document, way)[way[-1]], str)]  # fmt: skip
    if not texts:
        return document
    way = dice.choice(texts)
    held, text = _holder(document, way), _holder(document, way)[way[-1]]
    at = dice.randrange(len(text) + 1) & ~1
    more = "".join(dice.choice(_DIGITS) for _ in range(2 * dice.randrange(1, 9)))
    held[way[-1]] = dice.choice((
        text[:at] + text[at + 2 :], text[:at] + more + text[at + len(more) :],
        text[:at] + more + text[at:], text[:-4] + dice.choice(_WORDS), dice.choice(_WORDS),
        text[:at] + text[-4:], text + text, more, text[:at] + "FF" + text[at + 2 :],
        text[:at] + "00" + text[at + 2 :], text[:at] + "81" + text[at + 2 :], text.lower(),
        " ".join(text), "0x" + text,
    ))  # fmt: skip
    return document


DOCUMENT: tuple[Callable[[Document, random.Random], Document], ...] = (
    _replaced, _lost, _renamed, _disordered, *5 * [_other_bytes],
)  # fmt: skip


def _cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _flipped(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data or b"\x00")
    for _ in range(dice.randrange(1, 5)):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _noise(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.randbytes(dice.randrange(1, 9)) + data[at:]


def _signs(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    sign = "".join(dice.choice(_SIGNS) for _ in range(dice.randrange(1, 4)))
    return data[:at] + sign.encode() + data[at + dice.randrange(2) :]


def _lines(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at] + dice.choice((b"", b" ", b"\t", b" #"))
    return b"\n".join(lines)


def _whole(data: bytes, dice: random.Random) -> bytes:
    """Another kind of file altogether."""
    return dice.choice((
        b"", b"\x00", b"\xff\xfe" + data.decode("utf-8", "replace").encode("utf-16-le"),
        b"\xef\xbb\xbf" + data, BOMB.encode(), RING.encode(), b"[" * 5000, b"- " * 3000,
        b"{" * 3000, b"a: " * 2000, b"'" + data, b"--- a\n--- b\n", b"? " * 500, b"\x80\x81",
        data * 3, b"- {req: 00A4040000, res: '9000'}\n" * 4000, b"!!python/object:os.system {}",
        b"x" * 3_000_000, dice.randbytes(400),
    ))  # fmt: skip


TEXT: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _flipped, _noise, _signs, _lines, _whole,
)  # fmt: skip


def spoilt(document: Document, dice: random.Random) -> bytes:
    """One file's bytes, spoilt by one to three mutations of the document, of the text, or both."""
    document = copy.deepcopy(document)
    way = dice.choice((0, 0, 0, 1, 2))
    if way != 1:
        for _ in range(dice.randrange(1, 4)):
            document = dice.choice(DOCUMENT)(document, dice)
    data = yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode("utf-8")
    if way != 0:
        data = dice.choice(TEXT)(data, dice)
    return data
