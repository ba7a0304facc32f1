"""The test bed: every number that a test terminal and the test acquirer have to agree on.

All of it is public and worthless outside the simulator. A key is written here in clear because a
test device has to be provisioned from somewhere; live keys never pass through this file.
"""

from __future__ import annotations

from dataclasses import dataclass

from psec import des, tools


@dataclass(frozen=True)
class Operator:
    """A person at the terminal: `number` is two digits, `password` what they type.

    99 is the administrator (8 digits), 00 the supervisor (6), 01-20 cashiers (4). With
    `must_change` the first login asks for a new password.
    """

    number: str
    password: str
    must_change: bool = False


TERMINAL = "SP000001"  # field 41
MERCHANT = "898610154110001"  # field 42
MERCHANT_NAME = "测试商户有限公司"
SERIAL = "SPT0000000001"
TPDU = bytes.fromhex("6000030000")
HEADER = "603210320072"
BATCH = 1  # what a terminal that the acquirer has never seen starts with
CURRENCY = "156"

PRIMARY_HOST = "acquirer.suanpan.test"
BACKUP_HOST = "acquirer2.suanpan.test"
PORT = 8583

WIFI_SSID = "suanpan-test"
WIFI_PASSWORD = "suanpan-test"

OPERATORS = (
    Operator("99", "12345678"),
    Operator("00", "123456"),
    Operator("01", "0001"),
)

TMK = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
# Two custodians' halves; their XOR is the terminal master key.
TMK_COMPONENTS = (
    bytes.fromhex("5E9BF1D0237A46B90DC28864EA7F1335"),
    tools.xor(TMK, bytes.fromhex("5E9BF1D0237A46B90DC28864EA7F1335")),
)
TMK_KCV = des.generate_kcv(TMK, 3)
TMK_COMPONENT_KCVS = tuple(des.generate_kcv(part, 3) for part in TMK_COMPONENTS)

# The test issuer: cards carry keys derived from this one (EMV Book 2, A1.4.1 option A).
ISSUER_MASTER_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
ISSUER_MAC_KEY = bytes.fromhex("1032547698BADCFEEFCDAB8967452301")  # of issuer scripts

QUICK_LIMIT = 100_000  # fen; above it a debit card needs its PIN even when tapped
