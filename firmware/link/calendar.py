"""Seconds since 2000-01-01 and back, and the host's clock, which has no year.

PROTOCOL.md, "Numbers and time". Done here in integers, since MicroPython's own epoch differs by
port.
"""

from iso8583 import Iso8583Error

_DAY = const(86_400)


def days(year: int, month: int, day: int) -> int:
    """Days from 2000-01-01 to a date of the Gregorian calendar, 2000-2199."""
    # March is the first month here, so that the leap day is the last day of a year.
    shifted = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 730_425


def year_of(seconds: int) -> int:
    """The year of a moment."""
    year = 2000 + seconds // (366 * _DAY)
    while days(year + 1, 1, 1) * _DAY <= seconds:
        year += 1
    return year


def host_moment(time: str, date: str, near: int) -> int:
    """F12 (hhmmss) and F13 (MMDD) as seconds since 2000, in the year that is nearest to `near`.

    Iso8583Error for a time or date that does not exist."""
    hour, minute, second = (int(time[i : i + 2]) for i in (0, 2, 4))
    if hour > 23 or minute > 59 or second > 59:
        raise Iso8583Error(12, "is no time of day")
    month, day = int(date[:2]), int(date[2:])
    moments = []
    for year in range(year_of(near) - 1, year_of(near) + 2):
        if _exists(year, month, day):
            at = days(year, month, day) * _DAY + hour * 3600 + minute * 60 + second
            moments.append((abs(at - near), at))
    if not moments:
        raise Iso8583Error(13, "is no date near today")
    return min(moments)[1]


def _exists(year: int, month: int, day: int) -> bool:
    if not 1 <= month <= 12 or day < 1:
        return False
    first_of_next = days(year + 1, 1, 1) if month == 12 else days(year, month + 1, 1)
    return days(year, month, day) < first_of_next
