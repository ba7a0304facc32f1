"""Runs inside MicroPython: encodes and decodes for test_iso8583.py, one JSON line each way."""

import json
import sys
from binascii import hexlify, unhexlify

import iso8583
from iso8583.spec import BINARY


def decode(order):
    """A frame in hex → its parts; and the frame that they encode to, in hex."""
    message = iso8583.decode(unhexlify(order["frame"]))
    buffer = bytearray(2000)
    length = iso8583.encode(buffer, message.mti, message.fields, message.tpdu, message.header)
    fields = {}
    for number, value in message.fields.items():
        binary = iso8583.FIELDS[number][1] == BINARY
        fields[str(number)] = hexlify(value).decode() if binary else value
    return {"mti": message.mti, "fields": fields, "again": hexlify(buffer[:length]).decode()}


def encode(order):
    """Fields (binary ones in hex) → a frame in hex."""
    fields = {}
    for name, value in order["fields"].items():
        number = int(name)
        binary = iso8583.FIELDS[number][1] == BINARY
        fields[number] = unhexlify(value) if binary else value
    buffer = bytearray(2000)
    length = iso8583.encode(buffer, order["mti"], fields, "6000030000", "603210320072")
    return {"frame": hexlify(buffer[:length]).decode()}


while True:
    line = sys.stdin.readline()
    if not line:
        break
    order = json.loads(line)
    try:
        answer = encode(order) if "fields" in order else decode(order)
    except iso8583.Iso8583Error as error:
        answer = {"error": str(error), "field": str(error.field)}
    print(json.dumps(answer))
