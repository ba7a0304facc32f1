"""Seconds since 2000 as dates and times for people, cards and paper."""

from firmware.link.calendar import days, year_of

_DAY = const(86_400)


def parts(seconds: int) -> "tuple[int, int, int, int, int, int]":
    """Year, month, day, hour, minute, second."""
    day, rest = seconds // _DAY, seconds % _DAY
    year, month = year_of(seconds), 12
    while days(year, month, 1) > day:
        month -= 1
    return (
        year, month, day - days(year, month, 1) + 1, rest // 3600, rest // 60 % 60, rest % 60,
    )  # fmt: skip


def written(seconds: int) -> str:
    """'2026/11/23 20:05:33'."""
    return "{:04d}/{:02d}/{:02d} {:02d}:{:02d}:{:02d}".format(*parts(seconds))


def clock_face(seconds: int) -> str:
    """'20:05'."""
    _, _, _, hour, minute, _ = parts(seconds)
    return f"{hour:02d}:{minute:02d}"


def card_stamp(seconds: int) -> "tuple[str, str]":
    """'YYMMDD' (tag 9A) and 'HHMMSS' (tag 9F21)."""
    year, month, day, hour, minute, second = parts(seconds)
    return f"{year % 100:02d}{month:02d}{day:02d}", f"{hour:02d}{minute:02d}{second:02d}"
