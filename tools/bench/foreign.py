"""The same work by other people's packages, in CPython: (name, set-up lines, measured line).

psec enciphers by `cryptography`, that is OpenSSL; dukpt by `pycryptodome`. CPython's own
instructions are counted with theirs.

dukpt keeps the initial key alone and derives each transaction's key from it. pinmac keeps future
keys, as X9.24-1 has it, and its work moves between loading and advancing. So what is compared is
one run of the first 64 transactions from the initial key, loading included: low counters have few
bits set, which is the shortest way dukpt has.
"""

PRELUDE = """
import warnings
warnings.simplefilter("ignore")
from bitstring import BitArray
from dukpt import DUKPT
from psec import des, pinblock
KEY = bytes.fromhex("807A23AD32B36D457AE91FDF927570EA")
PAN = "6222021234567890123"
# X9.24-1:2009 A.4: the initial key and its serial number.
IK = BitArray(hex="6AC292FAA1315B4D858AB3A3D7D5933A")
KSN = BitArray(hex="FFFF9876543210E00000")

def pin_block():
    return des.encrypt_tdes_ecb(KEY, pinblock.encode_pinblock_iso_0("123456", PAN))

def dukpt_key(counter):
    return DUKPT(ipek=IK, ksn=KSN).derive_key(IK, KSN | BitArray(uint=counter, length=80))

def dukpt_keys():
    for counter in range(1, 65):
        dukpt_key(counter)

assert pin_block() == bytes.fromhex("BDFD42DCF960C8B6")
assert dukpt_key(1).bytes == bytes.fromhex("042666B49184CFA368DE9628D0397BC9")
"""

PSEC = "PIN block, psec (CPython)"
DUKPT = "64 DUKPT keys, dukpt 1.0.1 (CPython)"

ROWS: list[tuple[str, str, str]] = [(PSEC, "", "pin_block()"), (DUKPT, "", "dukpt_keys()")]
