"""Bit fields in words, byte by byte from bit 8 down; an empty string is a bit without meaning."""

from __future__ import annotations

# Book 3 Annex C5.
TVR = [
    ["ODA not performed", "SDA failed", "ICC data missing", "on exception file", "DDA failed",
     "CDA failed", "SDA selected", ""],
    ["versions differ", "expired application", "not yet effective", "service not allowed",
     "new card", "", "", ""],
    ["CVM failed", "unrecognised CVM", "PIN tries exceeded", "PIN pad missing", "PIN not entered",
     "online PIN entered", "", ""],
    ["floor limit exceeded", "lower consecutive limit", "upper consecutive limit",
     "random selection", "forced online", "", "", ""],
    ["default TDOL", "issuer authentication failed", "script failed before", "script failed after",
     "", "", "", ""],
]
# Book 3 Annex C6.
TSI = [
    ["ODA performed", "CVM performed", "card risk management performed",
     "issuer authentication performed", "terminal risk management performed",
     "script processing performed", "", ""],
    [""] * 8,
]
# Book 3 Annex C1; byte 2 by Books C-2 and C-3.
AIP = [
    ["", "SDA supported", "DDA supported", "CVM supported", "terminal risk management wanted",
     "issuer authentication supported", "on-device CVM supported", "CDA supported"],
    ["EMV mode (contactless)", "", "", "", "", "", "", "relay resistance protocol"],
]
# Book 3 Annex C2.
USAGE = [
    ["domestic cash", "international cash", "domestic goods", "international goods",
     "domestic services", "international services", "at ATMs", "at terminals other than ATMs"],
    ["domestic cashback", "international cashback", "", "", "", "", "", ""],
]
# Book A 5.7, Book C-3 Annex A.
TTQ = [
    ["magnetic stripe mode", "", "EMV mode", "EMV contact chip", "offline-only reader",
     "online PIN", "signature", "ODA for online authorisations"],
    ["online cryptogram required", "CVM required", "contact chip offline PIN", "", "", "", "", ""],
    ["issuer update processing", "consumer device CVM", "", "", "", "", "", ""],
    ["fDDA version 1"] + [""] * 7,
]
# Book C-3 Annex A.
CTQ = [
    ["online PIN required", "signature required", "go online if ODA fails and reader can",
     "switch interface if ODA fails", "go online if application expired",
     "switch interface for cash", "switch interface for cashback", ""],
    ["consumer device CVM performed", "issuer update processing supported", "", "", "", "", "",
     ""],
]
# Book 4 Annex A2 (9F33).
CAPABILITIES = [
    ["manual key entry", "magnetic stripe", "IC with contacts", "", "", "", "", ""],
    ["plaintext offline PIN", "online PIN", "signature", "enciphered offline PIN",
     "no CVM required", "", "", ""],
    ["SDA", "DDA", "card capture", "", "CDA", "", "", ""],
]
# Book 4 Annex A3 (9F40).
ADDITIONAL = [
    ["cash", "goods", "services", "cashback", "inquiry", "transfer", "payment",
     "administrative"],
    ["cash deposit"] + [""] * 7,
    ["numeric keys", "alphabetic and special keys", "command keys", "function keys", "", "", "",
     ""],
    ["print for attendant", "print for cardholder", "display for attendant",
     "display for cardholder", "", "", "code table 10", "code table 9"],
    [f"code table {table}" for table in range(8, 0, -1)],
]
# The card verification results in 9F10, behind their length (VIS 1.4 Appendix A; PBOC took them
# over). The first four bits of byte 1 are two kinds of cryptogram, those of byte 3 a count.
CVR = [
    ["", "", "", "", "issuer authentication performed and failed",
     "offline PIN verification performed", "offline PIN verification failed",
     "unable to go online"],
    ["last online transaction not completed", "PIN try limit exceeded",
     "velocity checks exceeded", "new card", "issuer authentication failed last time online",
     "issuer authentication not performed after online authorisation",
     "application blocked by card", "SDA failed last time and declined offline"],
    ["", "", "", "", "issuer script failed last time",
     "DDA failed last time and declined offline", "DDA performed",
     "PIN verification not received though expected"],
]

TABLES = {
    0x95: TVR, 0x9B: TSI, 0x82: AIP, 0x9F07: USAGE, 0x9F66: TTQ, 0x9F6C: CTQ,
    0x9F33: CAPABILITIES, 0x9F40: ADDITIONAL,
    # Action codes have the bits of the TVR (Book 3 10.7).
    0x9F0D: TVR, 0x9F0E: TVR, 0x9F0F: TVR,
}


def words(table: list[list[str]], value: bytes) -> list[str]:
    """The set bits of `value` in the order of the book; an unnamed one by its place."""
    said = []
    for byte, octet in enumerate(value):
        for bit in range(8):
            if octet & (0x80 >> bit):
                name = table[byte][bit] if byte < len(table) else ""
                said.append(name or f"byte {byte + 1} bit {8 - bit}")
    return said
