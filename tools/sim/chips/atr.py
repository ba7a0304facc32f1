"""What a reader takes from an ATR (ISO 7816-3 clause 8.2): protocols and T=1's block sizes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Atr:
    """`protocols` as offered; `ifsc` bytes a T=1 block may carry; `crc` instead of an LRC."""

    protocols: tuple[int, ...]
    ifsc: int
    crc: bool


def parse(atr: bytes) -> Atr:
    """Read an ATR; ValueError when it is cut short or does not begin with 3B or 3F."""
    if len(atr) < 2 or atr[0] not in (0x3B, 0x3F):
        raise ValueError("An ATR begins with 3B or 3F and a format byte.")
    protocols: list[int] = []
    ifsc, crc, sized = 32, False, False
    present, at, group, protocol = atr[1] >> 4, 2, 1, 0
    while True:
        found: dict[str, int] = {}
        for bit, name in enumerate("ABCD"):
            if present & 1 << bit:
                if at >= len(atr):
                    raise ValueError("The ATR ends inside its interface bytes.")
                found[name] = atr[at]
                at += 1
        if group >= 3 and protocol == 1 and not sized:
            sized = True
            ifsc = found.get("A", ifsc)
            crc = bool(found.get("C", 0) & 1)
        if "D" not in found:
            break
        protocol = found["D"] & 0x0F
        if protocol != 15 and protocol not in protocols:
            protocols.append(protocol)
        present, group = found["D"] >> 4, group + 1
    return Atr(tuple(protocols) or (0,), ifsc, crc)
