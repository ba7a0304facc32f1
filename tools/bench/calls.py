"""The table of measured calls: (name, set-up lines, measured line), as MicroPython.

Every function of the module has a row at least, and a row's name begins with its function's. A
row's set-up runs before each of its measurements and is not counted. All rows run in one
process, in this order, after PRELUDE; a row may change what it likes as long as later rows find
the slots of PRELUDE. To measure another call, add a row.
"""

# Keys and fields of PROTOCOL.md, "Sign-on and working keys"; all are test keys.
PRELUDE = """
import pinmac
(TMK, PIN, MAC, CUP, DATA, CMAC, TRACK, SPARE, KBPK, DUKPT, DUKPT_AES, PIN_AES, X99, X919, SM4_MAC,
 COPY) = range(16)
MASTER = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
PIN_FIELD = bytes.fromhex("6701EAD6A9AD51E51AA406E2C27FCFA9")
PIN_KCV = bytes.fromhex("8D0A74B8")
MAC_FIELD = bytes.fromhex("B651F9E9BACE9AE10000000000000000")
MAC_KCV = bytes.fromhex("AB7153CA")
# Two more cryptograms under the same master key, with their check values: a two-key MAC key and a
# track key (0123456789ABCDEFFEDCBA9876543210 and 00112233445566778899AABBCCDDEEFF).
CUP_FIELD = bytes.fromhex("AA3A8E0552E755BDA9D6A7B8B6367174")
CUP_KCV = bytes.fromhex("08D7B4FB")
TRACK_FIELD = bytes.fromhex("8F07C658AC49CC831240C055597B73EF")
TRACK_KCV = bytes.fromhex("FB097599")
# The initial keys of X9.24-1:2009 A.4 and X9.24-3 Annex B as TR-31 D blocks (by psec) under the
# bytes 00 to 1F.
IK_TDES = (
    b"D0112B1TX00N000041049EB7775DC7865872DF9F53429E721459233D3817CB3F"
    b"2F3150945C492CDFE9B3AE04D4AE7220BFE16BA33AC64A2E")
IK_AES = (
    b"D0144B1AX00N0000B92365342E0EC7C4332F136C6C1E160F24A0BD0FD4A59039"
    b"B40B776053CAF7DB9CCD53A4C93FC0558CFC2F9CE4C73AF4EA74DDCCF59EF3A5"
    b"2B42A5CF0FA96673")
KSN_TDES = bytes.fromhex("FFFF9876543210E00000")
KSN_AES = bytes.fromhex("123456789012345600000000")
# An issuer's key of the greatest size EMV allows, and one of a card's usual size; RSA's work does
# not depend on the factors.
MODULUS_248, MODULUS_128 = bytes((0xB5,)) * 248, bytes((0xB5,)) * 128
CHALLENGE = bytes(range(8))
PAN, IV = "6222021234567890123", bytes(16)
MESSAGE = bytes(i & 0xFF for i in range(300))
RECORD = bytes(256)
TRACK_2 = "6222021234567890123=30122010000012345"

def inject(slot, usage, alg, key):
    pinmac.load_component(slot, usage, alg, bytearray(len(key)))
    pinmac.load_component(slot, usage, alg, bytearray(key))

def enter(pin):
    pinmac.pin_begin()
    for digit in pin:
        pinmac.pin_digit(int(digit))

def reload_mac_key():
    # Also closes a MAC that is open under it.
    pinmac.load_working(CUP, "M0", CUP_FIELD, TMK, CUP_KCV)

def prepare():
    pinmac.zeroize()
    inject(TMK, "K0", pinmac.TDES, MASTER)
    inject(KBPK, "K1", pinmac.AES, bytes(range(32)))
    pinmac.load_working(PIN, "P0", PIN_FIELD, TMK, PIN_KCV)
    pinmac.load_working(MAC, "M0", MAC_FIELD, TMK, MAC_KCV)
    reload_mac_key()
    pinmac.load_working(TRACK, "D0", TRACK_FIELD, TMK, TRACK_KCV)
    pinmac.generate(DATA, "D0", pinmac.AES)
    pinmac.generate(CMAC, "M6", pinmac.AES)
    pinmac.generate(PIN_AES, "P0", pinmac.AES)
    pinmac.generate(X99, "M1", pinmac.TDES)
    pinmac.generate(X919, "M3", pinmac.TDES)
    pinmac.generate(SM4_MAC, "M0", pinmac.SM4)
    pinmac.load_dukpt(DUKPT, IK_TDES, KBPK, KSN_TDES)
    pinmac.load_dukpt(DUKPT_AES, IK_AES, KBPK, KSN_AES)

def dukpt_keys():
    # The keys of counters 1 to 64 from the initial key.
    pinmac.load_dukpt(DUKPT, IK_TDES, KBPK, KSN_TDES)
    for _ in range(64):
        pinmac.dukpt_next(DUKPT)

prepare()
# The specification's example, so that what is measured is known to be right.
enter("123456")
assert pinmac.pin_block(PIN, 0, PAN) == bytes.fromhex("BDFD42DCF960C8B6")
"""



def function(name: str) -> str:
    """The function of the module that a row's name begins with."""
    return name.replace(",", " ").split()[0]


def functions() -> set[str]:
    """All functions that are measured."""
    return {function(name) for name, _, _ in CALLS}


PIN_BLOCK = "pin_block, format 0, TDES"
MAC_CUP = "mac, MAC_CUP, TDES, 300 bytes"
DUKPT_KEYS = "load_dukpt and 64 dukpt_next, TDES"

CALLS: list[tuple[str, str, str]] = [
    ("self_test", "", "pinmac.self_test()"),
    ("random, 32 bytes", "", "pinmac.random(32)"),
    (
        "load_component, the second, TDES",
        "pinmac.erase(SPARE)\n"
        "pinmac.load_component(SPARE, 'K0', pinmac.TDES, bytearray(16))\n"
        "part = bytearray(MASTER)",
        "pinmac.load_component(SPARE, 'K0', pinmac.TDES, part)",
    ),
    ("load_working, TDES", "", "pinmac.load_working(PIN, 'P0', PIN_FIELD, TMK, PIN_KCV)"),
    (
        "load_block, version D",
        "block = pinmac.export_block(CMAC, KBPK)",
        "pinmac.load_block(COPY, block, KBPK)",
    ),
    ("export_block, AES-256", "", "pinmac.export_block(CMAC, KBPK)"),
    ("load_dukpt, TDES", "", "pinmac.load_dukpt(DUKPT, IK_TDES, KBPK, KSN_TDES)"),
    ("load_dukpt, AES", "", "pinmac.load_dukpt(DUKPT_AES, IK_AES, KBPK, KSN_AES)"),
    (
        "dukpt_next, TDES, counter 1",
        "pinmac.load_dukpt(DUKPT, IK_TDES, KBPK, KSN_TDES)",
        "pinmac.dukpt_next(DUKPT)",
    ),
    (
        "dukpt_next, AES, counter 1",
        "pinmac.load_dukpt(DUKPT_AES, IK_AES, KBPK, KSN_AES)",
        "pinmac.dukpt_next(DUKPT_AES)",
    ),
    (DUKPT_KEYS, "", "dukpt_keys()"),
    ("generate, AES-256", "pinmac.erase(SPARE)", "pinmac.generate(SPARE, 'D0', pinmac.AES)"),
    ("kcv, TDES", "", "pinmac.kcv(PIN)"),
    ("kcv, AES-256", "", "pinmac.kcv(DATA)"),
    ("info", "", "pinmac.info(PIN)"),
    ("seal, TDES", "", "pinmac.seal(PIN)"),
    ("seal, DUKPT TDES", "", "pinmac.seal(DUKPT)"),
    ("unseal, TDES", "blob = pinmac.seal(PIN)", "pinmac.unseal(PIN, blob)"),
    ("unseal, DUKPT TDES", "blob = pinmac.seal(DUKPT)", "pinmac.unseal(DUKPT, blob)"),
    ("erase", "pinmac.generate(SPARE, 'D0', pinmac.AES)", "pinmac.erase(SPARE)"),
    ("pin_begin", "", "pinmac.pin_begin()"),
    ("pin_digit", "pinmac.pin_begin()", "pinmac.pin_digit(7)"),
    ("pin_back", "enter('123456')", "pinmac.pin_back()"),
    ("pin_len", "enter('123456')", "pinmac.pin_len()"),
    ("pin_cancel", "enter('123456')", "pinmac.pin_cancel()"),
    (PIN_BLOCK, "enter('123456')", "pinmac.pin_block(PIN, 0, PAN)"),
    ("pin_block, format 1, TDES", "enter('123456')", "pinmac.pin_block(PIN, 1, PAN)"),
    ("pin_block, format 3, TDES", "enter('123456')", "pinmac.pin_block(PIN, 3, PAN)"),
    ("pin_block, format 4, AES-256", "enter('123456')", "pinmac.pin_block(PIN_AES, 4, PAN)"),
    (
        "pin_block, format 0, DUKPT TDES",
        "pinmac.dukpt_next(DUKPT)\nenter('123456')",
        "pinmac.pin_block(DUKPT, 0, PAN)",
    ),
    (
        "pin_block, format 4, DUKPT AES",
        "pinmac.dukpt_next(DUKPT_AES)\nenter('123456')",
        "pinmac.pin_block(DUKPT_AES, 4, PAN)",
    ),
    (
        "pin_enciphered, 1024 bits",
        "enter('123456')",
        "pinmac.pin_enciphered(MODULUS_128, 3, CHALLENGE)",
    ),
    ("mac, MAC_CUP, DES, 300 bytes", "", "pinmac.mac(MAC, pinmac.MAC_CUP, MESSAGE)"),
    (MAC_CUP, "", "pinmac.mac(CUP, pinmac.MAC_CUP, MESSAGE)"),
    ("mac, MAC_CUP_SM4, 300 bytes", "", "pinmac.mac(SM4_MAC, pinmac.MAC_CUP_SM4, MESSAGE)"),
    ("mac, MAC_X99, TDES, 300 bytes", "", "pinmac.mac(X99, pinmac.MAC_X99, MESSAGE)"),
    ("mac, MAC_X919, TDES, 300 bytes", "", "pinmac.mac(X919, pinmac.MAC_X919, MESSAGE)"),
    ("mac, MAC_CMAC, AES-256, 300 bytes", "", "pinmac.mac(CMAC, pinmac.MAC_CMAC, MESSAGE)"),
    (
        "mac_verify, MAC_CUP, TDES, 300 bytes",
        "value = pinmac.mac(CUP, pinmac.MAC_CUP, MESSAGE)",
        "pinmac.mac_verify(CUP, pinmac.MAC_CUP, MESSAGE, value)",
    ),
    ("mac_init, MAC_CUP", "reload_mac_key()", "pinmac.mac_init(CUP, pinmac.MAC_CUP)"),
    (
        "mac_update, MAC_CUP, 300 bytes",
        "reload_mac_key()\npinmac.mac_init(CUP, pinmac.MAC_CUP)",
        "pinmac.mac_update(MESSAGE)",
    ),
    (
        "mac_final, MAC_CUP",
        "reload_mac_key()\npinmac.mac_init(CUP, pinmac.MAC_CUP)\npinmac.mac_update(MESSAGE)",
        "pinmac.mac_final()",
    ),
    (
        "mac_final_verify, MAC_CUP",
        "reload_mac_key()\nvalue = pinmac.mac(CUP, pinmac.MAC_CUP, MESSAGE)\n"
        "pinmac.mac_init(CUP, pinmac.MAC_CUP)\npinmac.mac_update(MESSAGE)",
        "pinmac.mac_final_verify(value)",
    ),
    ("encrypt, AES-256, 256 bytes", "", "pinmac.encrypt(DATA, IV, RECORD)"),
    ("decrypt, AES-256, 256 bytes", "", "pinmac.decrypt(DATA, IV, RECORD)"),
    ("encrypt_track, TDES, 37 characters", "", "pinmac.encrypt_track(TRACK, TRACK_2)"),
    (
        "rsa_recover, 1984 bits, exponent 3",
        "",
        "pinmac.rsa_recover(MODULUS_248, 3, MODULUS_248[:-1] + IV[:1])",
    ),
    ("zeroize", "prepare()", "pinmac.zeroize()"),
]
