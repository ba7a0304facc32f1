"""Runs inside MicroPython: answers pinmac cases, a JSON object a line in, a JSON list a line out.

A line is {"calls": [[name, arg, …], …]}: the calls are made in order and their results listed,
with an error as {"error": its class name}. Bytes travel as {"hex": …} both ways; the argument
{"answer": n} is the n-th result of the same line (0 is the first, -1 the one before).
"""

import json
import sys

import pinmac


def take(value, results):
    """An argument from its JSON form; a component must be a bytearray."""
    if not isinstance(value, dict):
        return value
    return bytearray.fromhex(value["hex"] if "hex" in value else results[value["answer"]]["hex"])


def give(value):
    """Bytes into their JSON form."""
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def call(results, name, *args):
    """One call's result in JSON form."""
    try:
        return give(getattr(pinmac, name)(*[take(arg, results) for arg in args]))
    except (pinmac.Error, ValueError) as error:
        return {"error": type(error).__name__}


for line in sys.stdin:
    results = []
    for each in json.loads(line)["calls"]:
        results.append(call(results, *each))
    print(json.dumps(results))
