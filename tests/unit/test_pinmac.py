"""pinmac's face inside MicroPython: published vectors, and every refusal it promises.

The interpreter runs without SUANPAN_DEVICE_SECRET here: secret, salt and log live in the process.
"""

import pinmac

# UnionPay sign-on recorded in PROTOCOL.md, "Sign-on and working keys".
MASTER = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
PIN_FIELD = bytes.fromhex("6701EAD6A9AD51E51AA406E2C27FCFA9")
PIN_KCV = bytes.fromhex("8D0A74B8")
MAC_FIELD = bytes.fromhex("B651F9E9BACE9AE10000000000000000")
MAC_KCV = bytes.fromhex("AB7153CA")

TMK, PIN, MAC, DATA, SPARE = range(5)


def raises(kind, call, *args, **named):
    """Call and return the error's text; fail unless it is exactly of this kind."""
    try:
        call(*args, **named)
    except Exception as error:  # noqa: BLE001 - its type is what is tested
        assert type(error) is kind, repr(error)
        return str(error)
    raise AssertionError("no " + kind.__name__)


def load_master(slot=TMK, key=MASTER, alg=pinmac.TDES, usage="K0"):
    """Inject a key as two components; its check value."""
    pinmac.erase(slot)
    mask = pinmac.random(len(key))
    assert pinmac.load_component(slot, usage, alg, bytearray(mask)) is None
    rest = bytearray(len(key))
    for i in range(len(key)):
        rest[i] = mask[i] ^ key[i]
    return pinmac.load_component(slot, usage, alg, rest)


def fresh():
    """An empty module with the sign-on's keys in it."""
    pinmac.zeroize()
    load_master()
    pinmac.load_working(PIN, "P0", PIN_FIELD, TMK, PIN_KCV)
    pinmac.load_working(MAC, "M0", MAC_FIELD, TMK, MAC_KCV)


def enter(digits):
    pinmac.pin_begin()
    for digit in digits:
        pinmac.pin_digit(digit)


def test_self_test_passes():
    pinmac.self_test()


def test_components_are_combined_and_wiped():
    pinmac.zeroize()
    first, second = bytearray(b"\x5a" * 16), bytearray(bytes(b ^ 0x5A for b in MASTER))
    assert pinmac.load_component(TMK, "K0", pinmac.TDES, first) is None
    assert pinmac.info(TMK)["complete"] is False
    raises(pinmac.KeyUsageError, pinmac.kcv, TMK)
    kcv = pinmac.load_component(TMK, "K0", pinmac.TDES, second)
    assert len(kcv) == 3 and kcv == pinmac.kcv(TMK)
    assert first == second == bytearray(16)


def test_component_is_wiped_by_every_refusal():
    fresh()
    cases = (
        (pinmac.StateError, (TMK, "K0", pinmac.TDES), 16),
        (ValueError, (SPARE, "K0", pinmac.TDES), 8),
        (ValueError, (SPARE, "K0", pinmac.DES), 8),
        (ValueError, (SPARE, "XX", pinmac.TDES), 16),
        (ValueError, (SPARE, "K", pinmac.TDES), 16),
        (ValueError, (32, "K0", pinmac.TDES), 16),
        (ValueError, (-1, "K0", pinmac.TDES), 16),
        (pinmac.KeyUsageError, (SPARE, "P0", pinmac.TDES), 16),
        (TypeError, (SPARE, None, pinmac.TDES), 16),
        (TypeError, ("slot", "K0", pinmac.TDES), 16),
    )
    for kind, args, size in cases:
        part = bytearray(b"\x11" * size)
        raises(kind, pinmac.load_component, *(args + (part,)))
        assert part == bytearray(size), args
    assert pinmac.info(SPARE) is None
    raises(TypeError, pinmac.load_component, SPARE, "K0", pinmac.TDES, b"\x11" * 16)


def test_second_component_must_fit_the_first():
    pinmac.zeroize()
    pinmac.load_component(TMK, "K0", pinmac.TDES, bytearray(b"\x01" * 16))
    raises(ValueError, pinmac.load_component, TMK, "K0", pinmac.TDES, bytearray(b"\x02" * 24))
    raises(ValueError, pinmac.load_component, TMK, "K0", pinmac.AES, bytearray(b"\x02" * 16))
    raises(pinmac.KeyUsageError, pinmac.load_component, TMK, "K1", pinmac.TDES,
           bytearray(b"\x02" * 16))
    raises(pinmac.IntegrityError, pinmac.load_component, TMK, "K0", pinmac.TDES,
           bytearray(b"\x01" * 16))
    assert len(pinmac.load_component(TMK, "K0", pinmac.TDES, bytearray(b"\x02" * 16))) == 3


def test_sign_on_of_the_protocol():
    fresh()
    assert pinmac.info(PIN) == {"usage": "P0", "alg": pinmac.TDES, "mode": "E",
                                "exportability": "N", "version": "00", "length": 16,
                                "complete": True}
    # The second half of the MAC key's field is zero: a single-length key.
    assert pinmac.info(MAC)["alg"] == pinmac.DES and pinmac.info(MAC)["length"] == 8
    assert pinmac.kcv(PIN) == PIN_KCV[:3] and pinmac.kcv(MAC) == MAC_KCV[:3]


def test_pin_block_of_the_specification():
    """PINMAC.md: PIN 123456, PAN 6222021234567890123."""
    fresh()
    enter((1, 2, 3, 4, 5, 6))
    assert pinmac.pin_len() == 6
    block = pinmac.pin_block(PIN, 0, "6222021234567890123")
    assert block == bytes.fromhex("BDFD42DCF960C8B6")
    raises(pinmac.StateError, pinmac.pin_len)


def test_pin_back_and_lengths():
    fresh()
    raises(pinmac.StateError, pinmac.pin_digit, 1)
    raises(pinmac.StateError, pinmac.pin_back)
    raises(pinmac.StateError, pinmac.pin_block, PIN, 0, "6222021234567890123")
    for low, high in ((3, 12), (4, 13), (6, 5), (-1, 6), ((1 << 32) + 4, 12), (4, 1 << 80)):
        raises(ValueError, pinmac.pin_begin, low, high)
    pinmac.pin_begin(min_len=6, max_len=6)
    assert pinmac.pin_back() == 0
    for expected, digit in enumerate((1, 2, 3, 4, 5, 9)):
        assert pinmac.pin_digit(digit) == expected + 1
    raises(pinmac.StateError, pinmac.pin_digit, 7)
    for digit in (10, 15, 16, -1, 48, 1 << 29):
        raises(ValueError, pinmac.pin_digit, digit)
    assert pinmac.pin_back() == 5
    assert pinmac.pin_digit(6) == 6
    assert pinmac.pin_block(PIN, 0, "6222021234567890123") == bytes.fromhex("BDFD42DCF960C8B6")


def test_pin_block_always_ends_the_entry():
    fresh()
    pinmac.generate(DATA, "D0", pinmac.AES)
    pan = "6222021234567890123"
    for kind, args in (
        (ValueError, (PIN, 0, "123456789012")),
        (ValueError, (PIN, 0, "12345678901234567890")),
        (ValueError, (PIN, 0, "62220212345678901x3")),
        (ValueError, (PIN, 2, pan)),
        (ValueError, (PIN, 5, pan)),
        (ValueError, (PIN, -1, pan)),
        (ValueError, (PIN, 1 << 32, pan)),
        (pinmac.KeyUsageError, (PIN, 4, pan)),
        (ValueError, (32, 0, pan)),
        (pinmac.KeyUsageError, (MAC, 0, pan)),
        (pinmac.KeyUsageError, (TMK, 0, pan)),
        (pinmac.KeyUsageError, (DATA, 0, pan)),
        (pinmac.KeyUsageError, (31, 0, pan)),
        (TypeError, (PIN, 0, None)),
        (TypeError, (PIN, "0", pan)),
    ):
        enter((1, 2, 3, 4))
        raises(kind, pinmac.pin_block, *args)
        raises(pinmac.StateError, pinmac.pin_len)
    enter((1, 2, 3))
    raises(ValueError, pinmac.pin_block, PIN, 0, pan)
    raises(pinmac.StateError, pinmac.pin_len)


def test_pin_begin_forgets_the_entry_before():
    fresh()
    enter((9, 9, 9, 9))
    enter((1, 2, 3, 4, 5, 6))
    assert pinmac.pin_block(PIN, 0, "6222021234567890123") == bytes.fromhex("BDFD42DCF960C8B6")
    enter((1, 2, 3, 4))
    pinmac.pin_cancel()
    pinmac.pin_cancel()
    raises(pinmac.StateError, pinmac.pin_len)


def test_pin_key_of_single_length_is_refused():
    fresh()
    raises(pinmac.KeyUsageError, pinmac.load_working, SPARE, "P0", MAC_FIELD, TMK, MAC_KCV)
    assert pinmac.info(SPARE) is None


def test_working_key_checks():
    fresh()
    pinmac.erase(SPARE)
    load = pinmac.load_working
    raises(pinmac.IntegrityError, load, SPARE, "M0", MAC_FIELD, TMK, b"\x00\x00\x00\x00")
    raises(pinmac.IntegrityError, load, SPARE, "P0", PIN_FIELD[8:] + PIN_FIELD[:8], TMK, PIN_KCV)
    for size in (0, 3, 5):
        raises(ValueError, load, SPARE, "P0", PIN_FIELD, TMK, PIN_KCV[:size] + bytes(size // 5))
    for size in (0, 7, 12, 32):
        raises(ValueError, load, SPARE, "D0", bytes(b"\x01" * size), TMK, PIN_KCV)
    raises(pinmac.KeyUsageError, load, SPARE, "K0", PIN_FIELD, TMK, PIN_KCV)
    raises(ValueError, load, SPARE, "Z9", PIN_FIELD, TMK, PIN_KCV)
    raises(pinmac.KeyUsageError, load, SPARE, "P0", PIN_FIELD, MAC, PIN_KCV)
    raises(pinmac.KeyUsageError, load, SPARE, "P0", PIN_FIELD, 31, PIN_KCV)
    raises(pinmac.KeyUsageError, load, TMK, "P0", PIN_FIELD, TMK, PIN_KCV)
    assert pinmac.info(SPARE) is None
    assert pinmac.kcv(PIN) == PIN_KCV[:3]


def test_a_refused_working_key_leaves_the_old_one():
    fresh()
    raises(pinmac.IntegrityError, pinmac.load_working, PIN, "P0", PIN_FIELD, TMK,
           b"\x01\x02\x03\x04")
    enter((1, 2, 3, 4, 5, 6))
    assert pinmac.pin_block(PIN, 0, "6222021234567890123") == bytes.fromhex("BDFD42DCF960C8B6")


def test_cryptogram_keeps_its_first_usage():
    fresh()
    load = pinmac.load_working
    raises(pinmac.KeyUsageError, load, SPARE, "D0", PIN_FIELD, TMK, PIN_KCV)
    raises(pinmac.KeyUsageError, load, SPARE, "M0", PIN_FIELD, TMK, PIN_KCV)
    load(SPARE, "P0", PIN_FIELD, TMK, PIN_KCV)
    # Across erase of the working key and of the master key.
    pinmac.erase(PIN)
    pinmac.erase(SPARE)
    load_master()
    raises(pinmac.KeyUsageError, load, SPARE, "D0", PIN_FIELD, TMK, PIN_KCV)
    load(PIN, "P0", PIN_FIELD, TMK, PIN_KCV)


def test_one_half_of_a_cryptogram_is_bound_too():
    """K1 alone, or doubled, would be a key one can search for: its block is the PIN key's."""
    fresh()
    # DES check value of the PIN key's first half, 807A23AD32B36D45, computed with psec.
    half = bytes.fromhex("842C9CE4")
    raises(pinmac.KeyUsageError, pinmac.load_working, SPARE, "D0", PIN_FIELD[:8], TMK, half)
    raises(pinmac.KeyUsageError, pinmac.load_working, SPARE, "D0", PIN_FIELD[:8] * 2, TMK, half)


def test_mac_of_the_protocol_frame():
    """PROTOCOL.md, "MAC": the key under the master key MASTER was enciphered with psec."""
    fresh()
    pinmac.load_working(SPARE, "M0", bytes.fromhex("877ADC6DDD384CF5" * 2), TMK,
                        bytes.fromhex("CE410E8E"))
    message = bytes.fromhex(
        "0200" "3020048000C08015" "000000" "000000001234" "000002" "0300" "99"
        "3030303030303031" "393532373138313832323137383735" "313536"
        "0019" "26000001000600000000" "0043"
        "5F01123238343431323334353637383930313233345F0306313630303336"
        "5F04063230303832365C023031")
    assert pinmac.mac(SPARE, pinmac.MAC_CUP, message) == b"B3A092AE"
    assert pinmac.mac_verify(SPARE, pinmac.MAC_CUP, message, b"B3A092AE") is True
    raises(pinmac.IntegrityError, pinmac.mac_verify, SPARE, pinmac.MAC_CUP, message, b"B3A092AF")
    raises(pinmac.IntegrityError, pinmac.mac_verify, SPARE, pinmac.MAC_CUP, message + b"1",
           b"B3A092AE")
    for size in (0, 3, 4, 7):
        raises(ValueError, pinmac.mac_verify, SPARE, pinmac.MAC_CUP, message, b"B3A092AE"[:size])
    pinmac.mac_init(SPARE, pinmac.MAC_CUP)
    for at in range(0, len(message), 5):
        pinmac.mac_update(message[at:at + 5])
    assert pinmac.mac_final() == b"B3A092AE"


def test_mac_in_pieces_and_its_states():
    fresh()
    pinmac.generate(SPARE, "M6", pinmac.AES)
    whole = pinmac.mac(SPARE, pinmac.MAC_CMAC, b"one two three four five")
    assert len(whole) == 16
    for call in (pinmac.mac_final, lambda: pinmac.mac_update(b"x"),
                 lambda: pinmac.mac_final_verify(whole)):
        raises(pinmac.StateError, call)
    pinmac.mac_init(SPARE, pinmac.MAC_CMAC)
    raises(pinmac.StateError, pinmac.mac_init, SPARE, pinmac.MAC_CMAC)
    pinmac.mac_update(b"one two three")
    # A whole MAC in between disturbs nothing.
    assert pinmac.mac(SPARE, pinmac.MAC_CMAC, b"one two three four five") == whole
    pinmac.mac_update(b" four five")
    assert pinmac.mac_final_verify(whole[:4]) is True
    pinmac.mac_init(SPARE, pinmac.MAC_CMAC)
    raises(pinmac.IntegrityError, pinmac.mac_final_verify, whole)
    pinmac.mac_init(SPARE, pinmac.MAC_CMAC)
    raises(ValueError, pinmac.mac_final_verify, whole[:3])
    raises(ValueError, pinmac.mac_verify, SPARE, pinmac.MAC_CMAC, b"", whole + b"\x00")
    pinmac.mac_init(SPARE, pinmac.MAC_CMAC)
    pinmac.erase(SPARE)
    raises(pinmac.StateError, pinmac.mac_final)


def test_mac_key_usages():
    fresh()
    raises(pinmac.KeyUsageError, pinmac.mac, MAC, pinmac.MAC_CMAC, b"x")
    raises(pinmac.KeyUsageError, pinmac.mac, PIN, pinmac.MAC_CUP, b"x")
    raises(pinmac.KeyUsageError, pinmac.mac, TMK, pinmac.MAC_CUP, b"x")
    raises(pinmac.KeyUsageError, pinmac.mac, 31, pinmac.MAC_CUP, b"x")
    raises(ValueError, pinmac.mac, MAC, 99, b"x")


def test_data_keys():
    fresh()
    pinmac.generate(DATA, "D0", pinmac.AES)
    clear = bytes(range(48))
    sealed = pinmac.encrypt(DATA, bytes(16), clear)
    assert sealed != clear and pinmac.decrypt(DATA, bytes(16), sealed) == clear
    for iv, data in ((8, 16), (16, 15), (16, 0), (0, 16)):
        raises(ValueError, pinmac.encrypt, DATA, bytes(iv), bytes(data))
        raises(ValueError, pinmac.decrypt, DATA, bytes(iv), bytes(data))
    for slot in (TMK, PIN, MAC, 31):
        raises(pinmac.KeyUsageError, pinmac.encrypt, slot, bytes(8), bytes(8))
        raises(pinmac.KeyUsageError, pinmac.decrypt, slot, bytes(8), bytes(8))


def test_a_loaded_data_key_only_enciphers():
    """A track key must never read tracks back."""
    fresh()
    pinmac.load_working(DATA, "D0", bytes.fromhex("EEB761A274A250BF80121FAC73E5D928"), TMK,
                        bytes.fromhex("A13F4AAB"))
    assert len(pinmac.encrypt(DATA, bytes(8), bytes(16))) == 16
    raises(pinmac.KeyUsageError, pinmac.decrypt, DATA, bytes(8), bytes(16))
    for track in ("1" * 17, "1" * 105, "1234567890123456:1"):
        raises(ValueError, pinmac.encrypt_track, DATA, track)
    raises(pinmac.KeyUsageError, pinmac.encrypt_track, PIN, "1" * 37)


def test_generate():
    fresh()
    for usage, alg, length in (("D0", pinmac.AES, 32), ("M6", pinmac.AES, 32),
                               ("D0", pinmac.TDES, 24), ("P0", pinmac.TDES, 24),
                               ("M1", pinmac.TDES, 24), ("M3", pinmac.TDES, 16),
                               ("P0", pinmac.SM4, 16), ("M0", pinmac.SM4, 16)):
        assert pinmac.generate(SPARE, usage, alg) == pinmac.kcv(SPARE)
        assert pinmac.info(SPARE)["length"] == length and pinmac.info(SPARE)["usage"] == usage
    raises(ValueError, pinmac.generate, SPARE, "D0", pinmac.DES)
    raises(ValueError, pinmac.generate, SPARE, "M0", pinmac.AES)
    raises(ValueError, pinmac.generate, SPARE, "D0", 9)
    raises(pinmac.KeyUsageError, pinmac.generate, SPARE, "K0", pinmac.AES)
    raises(pinmac.StateError, pinmac.generate, TMK, "D0", pinmac.AES)


def test_seal_and_unseal():
    fresh()
    pinmac.generate(DATA, "D0", pinmac.AES)
    for slot, size in ((TMK, 112), (PIN, 112), (MAC, 112), (DATA, 144)):
        blob = pinmac.seal(slot)
        assert len(blob) == size and blob != pinmac.seal(slot)
        assert pinmac.unseal(20 + slot, blob) == pinmac.kcv(slot)
        assert pinmac.info(20 + slot) == pinmac.info(slot)
        pinmac.erase(20 + slot)
    raises(pinmac.KeyUsageError, pinmac.seal, 31)
    raises(pinmac.StateError, pinmac.unseal, TMK, pinmac.seal(PIN))


def test_unseal_refuses_every_change():
    fresh()
    pinmac.erase(SPARE)
    blob = pinmac.seal(PIN)
    for at in range(len(blob)):
        changed = bytearray(blob)
        changed[at] ^= 1
        raises(pinmac.IntegrityError, pinmac.unseal, SPARE, changed)
    for size in (0, 1, 15, 16, 17, 48, 111):
        raises(pinmac.IntegrityError, pinmac.unseal, SPARE, blob[:size])
    raises(pinmac.IntegrityError, pinmac.unseal, SPARE, blob + b"0")
    # A usage, mode or exportability that its maker did not give.
    for at, letter in ((5, b"D"), (8, b"B"), (11, b"E")):
        raises(pinmac.IntegrityError, pinmac.unseal, SPARE, blob[:at] + letter + blob[at + 1:])
    assert pinmac.info(SPARE) is None


def test_zeroize():
    fresh()
    blob = pinmac.seal(PIN)
    enter((1, 2, 3, 4))
    pinmac.mac_init(MAC, pinmac.MAC_CUP)
    pinmac.zeroize()
    assert all(pinmac.info(slot) is None for slot in range(32))
    raises(pinmac.StateError, pinmac.pin_len)
    raises(pinmac.StateError, pinmac.mac_final)
    raises(pinmac.StateError, pinmac.unseal, PIN, blob)
    pinmac.zeroize()
    # A new salt: the old block is nobody's.
    pinmac.generate(DATA, "D0", pinmac.AES)
    raises(pinmac.IntegrityError, pinmac.unseal, PIN, blob)


def test_slots_out_of_range():
    for slot in (-1, 32, 1 << 20, 1 << 32):
        for call in (pinmac.kcv, pinmac.info, pinmac.erase, pinmac.seal):
            raises(ValueError, call, slot)


def test_random():
    for size in (1, 32, 257, 4096):
        assert len(pinmac.random(size)) == size
    assert pinmac.random(32) != pinmac.random(32)
    for size in (0, -1, 4097, (1 << 32) + 1):
        raises(ValueError, pinmac.random, size)


def test_errors_share_a_root():
    for kind in (pinmac.KeyUsageError, pinmac.IntegrityError, pinmac.StateError):
        assert issubclass(kind, pinmac.Error) and issubclass(kind, Exception)
