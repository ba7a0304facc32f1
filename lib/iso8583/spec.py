"""The fields' formats, in one table (PROTOCOL.md, "Encoding")."""


class Iso8583Error(Exception):
    """A frame or a value breaks the format, and the sentence names the field.

    `field` is its number, or a word for what stands around the fields: 'length', 'tpdu', 'header',
    'mti', 'bitmap', 'frame'."""

    def __init__(self, field: "int | str", reason: str) -> None:
        place = f"field {field}" if isinstance(field, int) else field
        super().__init__(f"{place}: {reason}")
        self.field = field


# How a value is held, and how it lies in the frame.
DIGITS = const(0)  # str of 0-9; BCD, right-justified
DIGITS_LEFT = const(1)  # str of 0-9; BCD, left-justified
TRACK = const(2)  # str of 0-9 and '='; BCD, left-justified, '=' as D
TEXT = const(3)  # str; one byte a character, printable ASCII or GB18030 bytes kept as latin-1
BINARY = const(4)  # bytes

# number: (name, format, digits of the length prefix, size). The size counts digits, characters or
# bytes; it is exact where the prefix is 0, else the limit.
FIELDS = {
    2: ("primary account number", DIGITS_LEFT, 2, 19),
    3: ("processing code", DIGITS, 0, 6),
    4: ("amount", DIGITS, 0, 12),
    11: ("trace number", DIGITS, 0, 6),
    12: ("local time", DIGITS, 0, 6),
    13: ("local date", DIGITS, 0, 4),
    14: ("expiry", DIGITS, 0, 4),
    15: ("settlement date", DIGITS, 0, 4),
    22: ("entry mode", DIGITS_LEFT, 0, 3),
    23: ("card sequence number", DIGITS, 0, 3),
    25: ("condition code", DIGITS, 0, 2),
    26: ("PIN capture code", DIGITS, 0, 2),
    32: ("acquirer", DIGITS, 2, 11),
    35: ("track 2", TRACK, 2, 37),
    36: ("track 3", TRACK, 3, 104),
    37: ("reference number", TEXT, 0, 12),
    38: ("authorisation code", TEXT, 0, 6),
    39: ("response code", TEXT, 0, 2),
    41: ("terminal number", TEXT, 0, 8),
    42: ("merchant number", TEXT, 0, 15),
    44: ("additional response data", TEXT, 2, 25),
    48: ("additional data", DIGITS_LEFT, 3, 322),
    49: ("currency", TEXT, 0, 3),
    52: ("PIN block", BINARY, 0, 8),
    53: ("security control", DIGITS, 0, 16),
    54: ("additional amounts", TEXT, 3, 20),
    55: ("chip data", BINARY, 3, 255),
    60: ("reserved 60", DIGITS_LEFT, 3, 30),
    61: ("original message", DIGITS_LEFT, 3, 29),
    62: ("reserved 62", BINARY, 3, 512),
    63: ("reserved 63", TEXT, 3, 163),
    64: ("MAC", TEXT, 0, 8),
}
