"""Drives pinmac_answers.py in the sim board's MicroPython from CPython."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
ANSWERS = Path(__file__).with_name("pinmac_answers.py")
LIMIT_S = 240

DES, TDES, AES, SM4 = 1, 2, 3, 4
MAC_CUP, MAC_CMAC, MAC_X99, MAC_X919, MAC_CUP_SM4 = 1, 2, 3, 4, 5


class Answers(RuntimeError):
    """MicroPython did not answer the cases; the message is what it said."""


def _pack(value: Any) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _unpack(value: Any) -> Any:
    if isinstance(value, dict) and "hex" in value:
        return bytes.fromhex(value["hex"])
    return value["error"] if isinstance(value, dict) and "error" in value else value


def ask(cases: list[list[tuple[Any, ...]]], **environment: str) -> list[list[Any]]:
    """Run cases (lists of calls: name, arguments…) in one process; the results of each.

    An error comes back as the name of its class."""
    lines = [json.dumps({"calls": [[_pack(a) for a in call] for call in case]}) for case in cases]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    done = subprocess.run(
        [INTERPRETER, ANSWERS], input="\n".join(lines) + "\n", capture_output=True, text=True,
        timeout=LIMIT_S, env=clean | environment, check=False,
    )
    answers = [[_unpack(value) for value in json.loads(line)] for line in done.stdout.splitlines()]
    if done.returncode != 0 or len(answers) != len(cases):
        raise Answers(done.stderr or f"{len(answers)} answers to {len(cases)} cases")
    return answers


def master(slot: int, key: bytes, alg: int, usage: str = "K0") -> list[tuple[Any, ...]]:
    """The calls that put a key-encrypting key into a slot."""
    return [("erase", slot), ("load_component", slot, usage, alg, bytes(len(key))),
            ("load_component", slot, usage, alg, key)]
