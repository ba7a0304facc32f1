"""Our codec against pyiso8583, both ways, and PROTOCOL.md's MAC'd frame against psec.

pyiso8583 is given its own description of the fields, written from PROTOCOL.md, not from ours.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import iso8583
from psec import des, tools

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
LIMIT_S = 60
ROUNDS = 300
SEED = 8583

# number: kind and size. n fixed digits, N counted digits, t fixed text, T counted text, b fixed
# bytes, B counted bytes, z a track.
KINDS = {
    2: "N19", 3: "n6", 4: "n12", 11: "n6", 12: "n6", 13: "n4", 14: "n4", 15: "n4", 22: "n3",
    23: "n3", 25: "n2", 26: "n2", 32: "N11", 35: "z37", 36: "z104", 37: "t12", 38: "t6", 39: "t2",
    41: "t8", 42: "t15", 44: "T25", 48: "N322", 49: "t3", 52: "b8", 53: "n16", 54: "T20",
    55: "B255", 60: "N30", 61: "N29", 62: "B512", 63: "T163", 64: "t8",
}  # fmt: skip
PREFIXES = {2: 1, 32: 1, 35: 1, 36: 2, 44: 1, 48: 2, 54: 2, 55: 2, 60: 2, 61: 2, 62: 2, 63: 2}

FRAME = (
    "007F6000030000603210320072"
    "02003020048000C08015000000000000001234000002030099"
    "3030303030303031393532373138313832323137383735313536"
    "001926000001000600000000"
    "00435F01123238343431323334353637383930313233345F03063136303033365F04063230303832365C023031"
    "4233413039324145"
)


def spec() -> dict[str, dict[str, Any]]:
    """PROTOCOL.md's encoding in pyiso8583's terms."""
    described: dict[str, dict[str, Any]] = {
        "h": {"data_enc": "b", "len_enc": "b", "len_type": 0, "max_len": 11},
        "t": {"data_enc": "b", "len_enc": "b", "len_type": 0, "max_len": 2},
        "p": {"data_enc": "b", "len_enc": "b", "len_type": 0, "max_len": 8},
    }
    for number, kind in KINDS.items():
        form, size = kind[0], int(kind[1:])
        text, digits = form in "tT", form in "nNz"
        described[str(number)] = {
            "data_enc": "latin-1" if text else "b",
            "len_enc": "bcd",
            "len_type": PREFIXES.get(number, 0),
            "len_count": "nibbles" if digits else "bytes",
            "max_len": size,
            "left_pad": "0" if form == "n" and number != 22 or number == 32 else "",
            "right_pad": "0" if number == 22 or form in "Nz" and number != 32 else "",
        }
    return described


SPEC = spec()


def ask(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All orders through one MicroPython process."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    environment["MICROPYPATH"] = "lib:.:.frozen"
    done = subprocess.run(
        [str(INTERPRETER), "tests/oracle/iso8583_driver.py"], cwd=REPO, env=environment,
        input="".join(json.dumps(order) + "\n" for order in orders), capture_output=True,
        text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(orders)
    return answers


def a_value(rng: random.Random, kind: str) -> str:
    """A random value of a kind: digits, text, a track with its separator, or hex."""
    form, size = kind[0], int(kind[1:])
    count = size if form in "ntb" else rng.choice((1, 2, size - 1, size, rng.randint(1, size)))
    if form in "nN":
        return "".join(rng.choice("0123456789") for _ in range(count))
    if form == "z":
        return "".join(rng.choice("0123456789=") for _ in range(count))
    if form in "tT":
        return "".join(chr(rng.choice((*range(32, 127), 0xB2, 0xE2))) for _ in range(count))
    return rng.randbytes(count).hex()


def messages() -> list[tuple[str, dict[int, str]]]:
    """Random messages; the first has every field at once."""
    rng = random.Random(SEED)
    made = [("0200", {number: a_value(rng, kind) for number, kind in KINDS.items()})]
    for _ in range(ROUNDS):
        chosen = rng.sample(sorted(KINDS), rng.randint(1, len(KINDS)))
        fields = {number: a_value(rng, KINDS[number]) for number in chosen}
        made.append((rng.choice(("0200", "0210", "0400", "0410", "0800", "0810")), fields))
    return made


def theirs(mti: str, fields: dict[int, str]) -> str:
    """The frame in hex as pyiso8583 writes it."""
    document = {"h": "6000030000603210320072", "t": mti}
    for number in sorted(fields):
        form, value = KINDS[number][0], fields[number]
        document[str(number)] = value.replace("=", "D") if form == "z" else value.upper()
        if form in "tT":
            document[str(number)] = value
    raw, _ = iso8583.encode(document, SPEC)
    return (len(raw).to_bytes(2, "big") + raw).hex()


def test_random_messages_encode_alike() -> None:
    made = messages()
    answers = ask([{"mti": mti, "fields": fields} for mti, fields in made])
    for (mti, fields), answer in zip(made, answers):
        assert answer.get("frame") == theirs(mti, fields), answer.get("error")


def test_random_messages_decode_alike() -> None:
    made = messages()
    answers = ask([{"frame": theirs(mti, fields)} for mti, fields in made])
    for (mti, fields), answer in zip(made, answers):
        assert answer.get("mti") == mti, answer.get("error")
        assert answer["fields"] == {str(number): value for number, value in fields.items()}


def test_a_damaged_frame_is_refused_or_is_another_message() -> None:
    """Whatever decodes encodes to the same bytes, so nothing in a frame goes unread."""
    rng = random.Random(SEED)
    damaged = []
    for mti, fields in messages():
        for _ in range(4):
            frame = bytearray.fromhex(theirs(mti, fields))
            place = rng.randrange(len(frame))
            frame[place] = rng.choice((frame[place] ^ 1 << rng.randrange(8), 0xFF, 0))
            if rng.random() < 0.2:
                del frame[place:]
                frame[:2] = max(len(frame) - 2, 0).to_bytes(2, "big")
            damaged.append(frame.hex())
    answers = ask([{"frame": frame} for frame in damaged])
    refused = [answer for answer in answers if "error" in answer]
    assert len(damaged) > len(refused) > len(damaged) // 20
    for frame, answer in zip(damaged, answers):
        assert "error" in answer or answer["again"] == frame


def test_the_protocols_frame_and_its_mac() -> None:
    (answer,) = ask([{"frame": FRAME}])
    assert answer["again"] == FRAME.lower()
    assert answer["fields"]["64"] == "B3A092AE"
    text = bytes.fromhex(FRAME)[13:-8]
    text += bytes(-len(text) % 8)
    total = bytes(8)
    for at in range(0, len(text), 8):
        total = tools.xor(total, text[at : at + 8])
    assert total.hex().upper() == "3761343619AC6492"
    key = bytes.fromhex("0723C80DB5F4CD3D") * 2
    letters = total.hex().upper().encode()
    first = des.encrypt_tdes_ecb(key, letters[:8])
    second = des.encrypt_tdes_ecb(key, tools.xor(first, letters[8:]))
    assert second.hex().upper()[:8] == answer["fields"]["64"]
