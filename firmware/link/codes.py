"""The host's answers in field 39: what each means for the sale, and the key of its words.

The words are firmware/ui/wording's: 'rc_51' and so on, one key per code in KNOWN; 'rc_unknown' for
the rest ("transaction failed"). PROTOCOL.md, "Response codes".
"""

APPROVED = ("00", "10", "11", "A2", "A4", "A5", "A6")
CAPTURE = ("04", "07", "34", "35", "36", "37", "41", "43", "67")
SIGN_ON_AGAIN = ("97", "99", "A0", "77")
SETTLES_REVERSAL = ("00", "12", "25")
PARTIAL = "10"

KNOWN = APPROVED + CAPTURE + (
    "77", "99", "A0", "01", "02", "03", "05", "06", "12", "13", "14", "15",
    "19", "20", "21", "22", "25", "26", "30", "31", "33", "38", "39", "40", "42", "51", "52", "53",
    "54", "55", "56", "57", "58", "59", "60", "61", "62", "63", "64", "65", "66", "68", "75", "90",
    "91", "92", "93", "94", "95", "96", "97", "98", "Y1", "Y3", "Z1", "Z3",
)  # fmt: skip


def key(code: str) -> str:
    """The wording key of a response code."""
    return f"rc_{code}" if code in KNOWN else "rc_unknown"


def outcome(code: str) -> str:
    """'approved', 'capture' or 'declined'."""
    if code in APPROVED:
        return "approved"
    return "capture" if code in CAPTURE else "declined"
