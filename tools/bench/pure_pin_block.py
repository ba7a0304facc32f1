"""An ISO 9564-1 format 0 PIN block under two-key TDES in plain Python, for the comparison only.

Written to be read beside FIPS 46-3: its tables as constants, one list element a bit, as the
well-known pure-Python implementations have it. Tables that join S-boxes and permutation, as quick
software has them, were tried: less than half the instructions, a seventh to a twelfth where the
subkeys are kept between blocks, and no longer a DES that one can check by eye. It keeps no secret:
keys and PINs lie in Python objects. It imports nothing and runs in every Python.
"""

# FIPS 46-3, Appendix 1. Tables count bits from 1, as the standard does.
IP = bytes(first - 8 * row for first in (58, 60, 62, 64, 57, 59, 61, 63) for row in range(8))
FP = bytes(place + 1 for bit in range(1, 65) for place in range(64) if IP[place] == bit)
E = bytes((4 * block + offset - 1) % 32 + 1 for block in range(8) for offset in range(6))
P = bytes((16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
           2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25))  # fmt: skip
PC1 = bytes((57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18,
             10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
             63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22,
             14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4))  # fmt: skip
PC2 = bytes((14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10,
             23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
             41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48,
             44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32))  # fmt: skip
SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
# S1 to S8: four rows of sixteen, one hexadecimal digit an entry.
S = [
    [int(digit, 16) for digit in box]
    for box in (
        "E4D12FB83A6C59070F74E2D1A6CB953841E8D62BFC973A50FC8249175B3EA06D",
        "F18E6B34972DC05A3D47F28EC01A69B50E7BA4D158C6932FD8A13F42B67C05E9",
        "A09E63F51DC7B428D709346A285ECBF1D6498F30B12C5AE71AD069874FE3B52C",
        "7DE3069A1285BC4FD8B56F03472C1AE9A690CB7DF13E52843F06A1D8945BC72E",
        "2C417AB6853FD0E9EB2C47D150FA3986421BAD78F9C5630EB8C71E2D6F09A453",
        "C1AF92680D34E75BAF427C9561DE0B389EF528C3704A1DB6432C95FABE17608D",
        "4B2EF08D3C975A61D0B7491AE35C2F8614BDC37EAF6805926BD814A7950FE23C",
        "D2846FB1A93E50C71FD8A374C56B0E927B419CE206ADF35821E74A8DFC90356B",
    )
]


def to_bits(data: bytes) -> list[int]:
    """The bits of `data`, the most significant first."""
    return [byte >> shift & 1 for byte in data for shift in range(7, -1, -1)]


def to_bytes(bits: list[int]) -> bytes:
    """The reverse of `to_bits`."""
    data = bytearray(len(bits) // 8)
    for place, bit in enumerate(bits):
        data[place // 8] = data[place // 8] << 1 | bit
    return bytes(data)


def schedule(key: bytes) -> list[list[int]]:
    """The sixteen 48-bit subkeys of an 8-byte key."""
    bits = to_bits(key)
    selected = [bits[place - 1] for place in PC1]
    left, right = selected[:28], selected[28:]
    subkeys = []
    for shift in SHIFTS:
        left = left[shift:] + left[:shift]
        right = right[shift:] + right[:shift]
        both = left + right
        subkeys.append([both[place - 1] for place in PC2])
    return subkeys


def cipher(half: list[int], subkey: list[int]) -> list[int]:
    """The cipher function f(R, K)."""
    out: list[int] = []
    for box in range(8):
        value = 0
        for place in range(6 * box, 6 * box + 6):
            value = value << 1 | half[E[place] - 1] ^ subkey[place]
        # The outer two of the six bits choose the row.
        row = value >> 4 & 2 | value & 1
        digit = S[box][row << 4 | value >> 1 & 15]
        out += (digit >> 3, digit >> 2 & 1, digit >> 1 & 1, digit & 1)
    return [out[place - 1] for place in P]


def des(block: bytes, subkeys: list[list[int]]) -> bytes:
    """One block under subkeys in the order given (reversed to decipher)."""
    bits = to_bits(block)
    mixed = [bits[place - 1] for place in IP]
    left, right = mixed[:32], mixed[32:]
    for subkey in subkeys:
        changed = cipher(right, subkey)
        for place in range(32):
            changed[place] ^= left[place]
        left, right = right, changed
    both = right + left
    return to_bytes([both[place - 1] for place in FP])


def pin_block(key: bytes, pin: str, pan: str) -> bytes:
    """The enciphered format 0 block (ISO 9564-1 9.3.2) of a PIN under a 16-byte key."""
    pin_field = bytes.fromhex((f"0{len(pin):X}" + pin + "FFFFFFFFFFFFFF")[:16])
    pan_field = bytes.fromhex("0000" + pan[-13:-1])
    block = bytes(a ^ b for a, b in zip(pin_field, pan_field))
    first, second = schedule(key[:8]), schedule(key[8:])
    return des(des(des(block, first), second[::-1]), first)
