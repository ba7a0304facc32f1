"""ISO 8583 as UnionPay's terminals speak it (PROTOCOL.md, "Frame" and "Encoding").

A frame is a 2-byte length, TPDU, header, MTI, bitmap and fields; `encode` writes one into the
caller's buffer and `decode` reads one from it. The fields' formats are one table, `spec.FIELDS`.
"""

from iso8583.codec import Message, decode, encode, mac_data, set_mac
from iso8583.spec import FIELDS, Iso8583Error

__all__ = ("FIELDS", "Iso8583Error", "Message", "decode", "encode", "mac_data", "set_mac")
