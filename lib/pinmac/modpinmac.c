// The MicroPython face of pinmac: unpacks buffers, calls the core, raises. No secret is kept here.
//
// The /// comments are the source of typings/pinmac.pyi (stubs.py).
#include <string.h>

#include "py/objexcept.h"
#include "py/runtime.h"

#include "core/pinmac.h"
#include "core/secure.h"

/// """PINs, keys and MACs: the C module that guards them. Slots are 0 to 31.
///
/// A usage is TR-31's two characters: 'K0' key encryption, 'K1' key block protection, 'P0' PIN,
/// 'M0' MAC_CUP, 'M1' MAC_X99, 'M3' MAC_X919, 'M6' MAC_CMAC, 'D0' data, 'B1' initial DUKPT key. Wrong
/// sizes and ranges raise ValueError, and a failed call changes nothing, save where it says so. The
/// module serves one thread.
/// """

/// from typing_extensions import Buffer

/// DES: int
/// TDES: int
/// AES: int
/// SM4: int
/// MAC_CUP: int
/// MAC_CMAC: int
/// MAC_X99: int
/// MAC_X919: int
/// MAC_CUP_SM4: int

#define DEFINE_EXCEPTION(type, name, base) \
    MP_DEFINE_CONST_OBJ_TYPE(type, name, MP_TYPE_FLAG_NONE, make_new, mp_obj_exception_make_new, print, \
        mp_obj_exception_print, attr, mp_obj_exception_attr, parent, base)

/// class Error(Exception):
///     """The root of this module's own errors."""
static DEFINE_EXCEPTION(pinmac_error_type, MP_QSTR_Error, &mp_type_Exception);

/// class KeyUsageError(Error):
///     """A slot was used for what it is not: empty, or of another usage, algorithm or mode of use."""
static DEFINE_EXCEPTION(pinmac_key_usage_error_type, MP_QSTR_KeyUsageError, &pinmac_error_type);

/// class IntegrityError(Error):
///     """A check value, MAC or format did not hold; nothing was loaded."""
static DEFINE_EXCEPTION(pinmac_integrity_error_type, MP_QSTR_IntegrityError, &pinmac_error_type);

/// class StateError(Error):
///     """Not now: no PIN entry open, module zeroised, self-test failed, a limit reached."""
static DEFINE_EXCEPTION(pinmac_state_error_type, MP_QSTR_StateError, &pinmac_error_type);

/// class PinLimitError(StateError):
///     """Too many PINs were enciphered in too short a time: wait. The entry is over and wiped."""
static DEFINE_EXCEPTION(pinmac_pin_limit_error_type, MP_QSTR_PinLimitError, &pinmac_state_error_type);

/// class PinExpiredError(StateError):
///     """The PIN entry took longer than the board allows. It is over and wiped."""
static DEFINE_EXCEPTION(pinmac_pin_expired_error_type, MP_QSTR_PinExpiredError, &pinmac_state_error_type);

enum { RANDOM_MAX = 4096 };

static const mp_obj_type_t *error_type(enum pinmac_result result) {
    static const mp_obj_type_t *const types[] = {
        [PINMAC_KIND_KEY_USAGE] = &pinmac_key_usage_error_type,
        [PINMAC_KIND_INTEGRITY] = &pinmac_integrity_error_type,
        [PINMAC_KIND_STATE] = &pinmac_state_error_type,
        [PINMAC_KIND_VALUE] = &mp_type_ValueError,
    };
    if (result == PINMAC_PIN_LIMIT) {
        return &pinmac_pin_limit_error_type;
    }
    return result == PINMAC_PIN_EXPIRED ? &pinmac_pin_expired_error_type : types[pinmac_result_kind(result)];
}

static void check(enum pinmac_result result) {
    if (result != PINMAC_OK) {
        mp_raise_msg(error_type(result), (mp_rom_error_text_t)pinmac_result_text(result));
    }
}

static mp_buffer_info_t bytes_of(mp_obj_t object, mp_uint_t access) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(object, &buffer, access);
    return buffer;
}

// Every range in the core ends far below the largest unsigned, so what does not fit is out of range
// there; a cast alone would turn slot 2^32 into slot 0 on a 64-bit host. An int that is not small lies
// past 2^30 either way, and reading it would be an OverflowError on a 32-bit board.
static unsigned unsigned_of(mp_obj_t object) {
    if (mp_obj_is_int(object) && !mp_obj_is_small_int(object)) {
        return ~0u;
    }
    mp_int_t value = mp_obj_get_int(object);
    return value < 0 || value > 0x3FFFFFFF ? ~0u : (unsigned)value;
}

static const char *usage_of(mp_obj_t object) {
    size_t size;
    const char *usage = mp_obj_str_get_data(object, &size);
    check(size == 2 ? PINMAC_OK : PINMAC_BAD_USAGE);
    return usage;
}

/// def load_component(slot: int, usage: str, alg: int, part: bytearray) -> bytes | None:
///     """XOR a clear component into a key-encrypting slot ('K0' of TDES, AES or SM4; 'K1' of TDES or AES).
///
///     `part` is the component, as long as the key, and is wiped by the call whatever happens.
///     None for the first component; the second completes the key and returns its check value
///     (3 bytes). A complete slot is a StateError: erase it first. Two equal components are an
///     IntegrityError. On release boards only in the power cycle that follows `zeroize`.
///     """
static mp_obj_t load_component(size_t count, const mp_obj_t *args) {
    mp_buffer_info_t part = bytes_of(args[3], MP_BUFFER_RW);
    uint8_t kcv[PINMAC_KCV];
    bool complete = false;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        unsigned slot = unsigned_of(args[0]), alg = unsigned_of(args[2]);
        const char *usage = usage_of(args[1]);
        check(pinmac_load_component(slot, usage, alg, part.buf, part.len, &complete, kcv));
        nlr_pop();
    } else {
        // An argument of the wrong type must not leave the component behind either.
        pinmac_wipe(part.buf, part.len);
        nlr_jump(nlr.ret_val);
    }
    return complete ? mp_obj_new_bytes(kcv, sizeof kcv) : mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(load_component_obj, 4, 4, load_component);

/// def load_working(slot: int, usage: str, cryptogram: Buffer, master_slot: int, kcv: Buffer) -> None:
///     """Load a working key that came in ECB under the 'K0' key of `master_slot`.
///
///     8, 16 or 24 bytes under TDES, 16 or 32 under AES, 16 under SM4: the algorithm follows the
///     master's, and under TDES 16 bytes that end in 8 zeros are a single-length (DES) key.
///     `kcv` is 4 bytes and a mismatch is an IntegrityError. Each cipher block serves its first usage
///     for the master key's life, across erase and reboot: another is a KeyUsageError, and so is a
///     single-length PIN key.
///     """
static mp_obj_t load_working(size_t count, const mp_obj_t *args) {
    mp_buffer_info_t cryptogram = bytes_of(args[2], MP_BUFFER_READ), kcv = bytes_of(args[4], MP_BUFFER_READ);
    check(pinmac_load_working(unsigned_of(args[0]), usage_of(args[1]), cryptogram.buf, cryptogram.len,
        unsigned_of(args[3]), kcv.buf, kcv.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(load_working_obj, 5, 5, load_working);

/// def load_block(slot: int, block: Buffer, kbpk_slot: int) -> bytes:
///     """Import a TR-31 / X9.143 key block under the 'K1' key of `kbpk_slot`; the check value (3 bytes).
///
///     Version D under an AES key, version B under a TDES key; A and C are refused. Usage, algorithm,
///     mode of use and exportability come from the block's header alone; optional blocks are
///     authenticated and dropped. IntegrityError for anything that is not an authentic block,
///     KeyUsageError where this module has no use for such a key (a 'B1' key goes to `load_dukpt`).
///     """
static mp_obj_t load_block(mp_obj_t slot, mp_obj_t block, mp_obj_t kbpk_slot) {
    mp_buffer_info_t text = bytes_of(block, MP_BUFFER_READ);
    uint8_t kcv[PINMAC_KCV];
    check(pinmac_load_block(unsigned_of(slot), text.buf, text.len, unsigned_of(kbpk_slot), kcv));
    return mp_obj_new_bytes(kcv, sizeof kcv);
}
static MP_DEFINE_CONST_FUN_OBJ_3(load_block_obj, load_block);

/// def export_block(slot: int, kbpk_slot: int) -> bytes:
///     """The slot as a TR-31 version D block (ASCII) under the AES 'K1' key of `kbpk_slot`.
///
///     KeyUsageError where the key's exportability is 'N' (every key that was injected or loaded as a
///     working key), for SM4, for which TR-31 has no letter, and for a DUKPT key.
///     """
static mp_obj_t export_block(mp_obj_t slot, mp_obj_t kbpk_slot) {
    char block[PINMAC_TR31_MAX];
    size_t size;
    check(pinmac_export_block(unsigned_of(slot), unsigned_of(kbpk_slot), block, &size));
    return mp_obj_new_bytes((const byte *)block, size);
}
static MP_DEFINE_CONST_FUN_OBJ_2(export_block_obj, export_block);

/// def load_dukpt(slot: int, block: Buffer, kbpk_slot: int, ksn: Buffer) -> bytes:
///     """Load an initial DUKPT key from a TR-31 block of usage 'B1'; its check value (3 bytes).
///
///     TDES of two keys with a `ksn` of 10 bytes (X9.24-1), or AES-128 with one of 12 (X9.24-3). A
///     counter in the KSN counts as used. One key of each algorithm at a time: StateError while another
///     slot has it. The key serves `pin_block`, `mac`, `mac_verify`, `encrypt` and `decrypt`, each with
///     the session key of its purpose, after `dukpt_next`.
///     """
static mp_obj_t load_dukpt(size_t count, const mp_obj_t *args) {
    mp_buffer_info_t text = bytes_of(args[1], MP_BUFFER_READ), ksn = bytes_of(args[3], MP_BUFFER_READ);
    uint8_t kcv[PINMAC_KCV];
    check(pinmac_load_dukpt(
        unsigned_of(args[0]), text.buf, text.len, unsigned_of(args[2]), ksn.buf, ksn.len, kcv));
    return mp_obj_new_bytes(kcv, sizeof kcv);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(load_dukpt_obj, 4, 4, load_dukpt);

/// def dukpt_next(slot: int) -> bytes:
///     """Advance to the next transaction's key; the key serial number to send (10 or 12 bytes).
///
///     StateError when the counter is spent. Seal the slot and store the blob before the key's first
///     use: that use raises the board's counter, and a blob of an earlier transaction is refused from
///     then on.
///     """
static mp_obj_t dukpt_next(mp_obj_t slot) {
    uint8_t ksn[PINMAC_KSN_MAX];
    size_t size;
    check(pinmac_dukpt_next(unsigned_of(slot), ksn, &size));
    return mp_obj_new_bytes(ksn, size);
}
static MP_DEFINE_CONST_FUN_OBJ_1(dukpt_next_obj, dukpt_next);

/// def generate(slot: int, usage: str, alg: int) -> bytes:
///     """Fill a slot with a fresh AES-256, SM4 or three-key TDES key ('M3': two); its check value (3 bytes).
///
///     The key may leave the device by `export_block`.
///     """
static mp_obj_t generate(mp_obj_t slot, mp_obj_t usage, mp_obj_t alg) {
    uint8_t kcv[PINMAC_KCV];
    check(pinmac_generate(unsigned_of(slot), usage_of(usage), unsigned_of(alg), kcv));
    return mp_obj_new_bytes(kcv, sizeof kcv);
}
static MP_DEFINE_CONST_FUN_OBJ_3(generate_obj, generate);

/// def kcv(slot: int) -> bytes:
///     """The first 3 bytes of the key's check value (AES: CMAC of zeros; the others: zeros enciphered).
///
///     Of a DUKPT slot, the initial key's.
///     """
static mp_obj_t kcv(mp_obj_t slot) {
    uint8_t value[PINMAC_KCV];
    check(pinmac_kcv(unsigned_of(slot), value));
    return mp_obj_new_bytes(value, sizeof value);
}
static MP_DEFINE_CONST_FUN_OBJ_1(kcv_obj, kcv);

/// def info(slot: int) -> dict[str, str | int | bool] | None:
///     """What a slot holds, in the terms of a TR-31 header; None when it is empty.
///
///     Keys: usage, alg, mode, exportability, version, length (bytes), complete (False: a component is
///     missing).
///     """
static void put(mp_obj_t dict, qstr name, mp_obj_t value) {
    mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(name), value);
}
static mp_obj_t info(mp_obj_t slot) {
    struct pinmac_info key;
    check(pinmac_info(unsigned_of(slot), &key));
    if (key.empty) {
        return mp_const_none;
    }
    mp_obj_t dict = mp_obj_new_dict(7);
    put(dict, MP_QSTR_usage, mp_obj_new_str(key.usage, sizeof key.usage));
    put(dict, MP_QSTR_alg, MP_OBJ_NEW_SMALL_INT(key.algorithm));
    put(dict, MP_QSTR_mode, mp_obj_new_str(&key.mode, 1));
    put(dict, MP_QSTR_exportability, mp_obj_new_str(&key.exportability, 1));
    put(dict, MP_QSTR_version, mp_obj_new_str(key.version, sizeof key.version));
    put(dict, MP_QSTR_length, MP_OBJ_NEW_SMALL_INT(key.size));
    put(dict, MP_QSTR_complete, mp_obj_new_bool(key.complete));
    return dict;
}
static MP_DEFINE_CONST_FUN_OBJ_1(info_obj, info);

/// def erase(slot: int) -> None:
///     """Wipe one slot. An empty slot stays empty."""
static mp_obj_t erase(mp_obj_t slot) {
    check(pinmac_erase(unsigned_of(slot)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(erase_obj, erase);

/// def zeroize() -> None:
///     """Wipe everything and destroy the salt: no sealed block of this device opens again."""
static mp_obj_t zeroize(void) {
    check(pinmac_zeroize());
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(zeroize_obj, zeroize);

/// def seal(slot: int) -> bytes:
///     """The slot under the device's own key: a TR-31 version D block (ASCII, 112 or 144 bytes).
///
///     A DUKPT slot's registers take a format of their own (404 or 580 bytes).
///     """
static mp_obj_t seal(mp_obj_t slot) {
    uint8_t blob[PINMAC_SEALED_MAX];
    size_t size;
    check(pinmac_seal(unsigned_of(slot), blob, &size));
    return mp_obj_new_bytes(blob, size);
}
static MP_DEFINE_CONST_FUN_OBJ_1(seal_obj, seal);

/// def unseal(slot: int, blob: Buffer) -> bytes:
///     """Put back what `seal` gave; the key's check value (3 bytes).
///
///     IntegrityError for anything else, a DUKPT state that was rolled back included; StateError on a
///     zeroised device.
///     """
static mp_obj_t unseal(mp_obj_t slot, mp_obj_t blob) {
    mp_buffer_info_t block = bytes_of(blob, MP_BUFFER_READ);
    uint8_t kcv[PINMAC_KCV];
    check(pinmac_unseal(unsigned_of(slot), block.buf, block.len, kcv));
    return mp_obj_new_bytes(kcv, sizeof kcv);
}
static MP_DEFINE_CONST_FUN_OBJ_2(unseal_obj, unseal);

/// def pin_begin(min_len: int = 4, max_len: int = 12) -> None:
///     """Open a PIN entry, wiping one that was open. StateError when the self-test failed."""
static mp_obj_t pin_begin(size_t count, const mp_obj_t *positional, mp_map_t *named) {
    static const mp_arg_t allowed[] = {
        {MP_QSTR_min_len, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_INT(PINMAC_PIN_MIN)}},
        {MP_QSTR_max_len, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_INT(PINMAC_PIN_MAX)}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(count, positional, named, MP_ARRAY_SIZE(allowed), allowed, args);
    check(pinmac_pin_begin(unsigned_of(args[0].u_obj), unsigned_of(args[1].u_obj)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(pin_begin_obj, 0, pin_begin);

/// def pin_digit(d: int) -> int:
///     """Add a digit (0-9); how many there are now. StateError at `max_len`,
///     PinExpiredError after the deadline, here and at every other call of the entry."""
static mp_obj_t pin_digit(mp_obj_t digit) {
    unsigned length;
    check(pinmac_pin_digit(unsigned_of(digit), &length));
    return MP_OBJ_NEW_SMALL_INT(length);
}
static MP_DEFINE_CONST_FUN_OBJ_1(pin_digit_obj, pin_digit);

/// def pin_back() -> int:
///     """Take the last digit away, if there is one; how many there are now."""
static mp_obj_t pin_back(void) {
    unsigned length;
    check(pinmac_pin_back(&length));
    return MP_OBJ_NEW_SMALL_INT(length);
}
static MP_DEFINE_CONST_FUN_OBJ_0(pin_back_obj, pin_back);

/// def pin_len() -> int:
///     """How many digits have been entered."""
static mp_obj_t pin_len(void) {
    unsigned length;
    check(pinmac_pin_length(&length));
    return MP_OBJ_NEW_SMALL_INT(length);
}
static MP_DEFINE_CONST_FUN_OBJ_0(pin_len_obj, pin_len);

/// def pin_cancel() -> None:
///     """Wipe the PIN and close the entry, if one is open."""
static mp_obj_t pin_cancel(void) {
    pinmac_pin_cancel();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(pin_cancel_obj, pin_cancel);

/// def pin_block(slot: int, fmt: int, pan: str) -> bytes:
///     """The enciphered PIN block (ISO 9564-1) under a 'P0' key or a DUKPT slot's PIN key.
///
///     Formats 0, 1 and 3 under TDES (8 bytes), format 4 under AES (16 bytes) and, as this project's own
///     rule, under SM4. `pan` is 13 to 19 digits, in format 4 from 1; format 1 does not look at it. Ends
///     the PIN entry and wipes the PIN whatever happens. PinLimitError when the board's limit is reached.
///     """
static mp_obj_t pin_block(mp_obj_t slot, mp_obj_t format, mp_obj_t pan) {
    uint8_t block[PINMAC_PIN_BLOCK_MAX];
    size_t block_size;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        size_t size;
        const char *digits = mp_obj_str_get_data(pan, &size);
        unsigned number = unsigned_of(slot);
        check(pinmac_pin_block(number, (int)unsigned_of(format), digits, size, block, &block_size));
        nlr_pop();
    } else {
        // An argument of the wrong type ends the entry too.
        pinmac_pin_cancel();
        nlr_jump(nlr.ret_val);
    }
    return mp_obj_new_bytes(block, block_size);
}
static MP_DEFINE_CONST_FUN_OBJ_3(pin_block_obj, pin_block);

// An RSA exponent, which a card gives as bytes.
static uint32_t exponent_of(mp_obj_t object) {
    if (mp_obj_is_int(object)) {
        return unsigned_of(object);
    }
    mp_buffer_info_t bytes = bytes_of(object, MP_BUFFER_READ);
    uint32_t exponent = 0;
    check(bytes.len <= sizeof exponent ? PINMAC_OK : PINMAC_BAD_EXPONENT);
    for (size_t i = 0; i < bytes.len; i++) {
        exponent = exponent << 8 | ((const uint8_t *)bytes.buf)[i];
    }
    return exponent;
}

/// def pin_enciphered(modulus: Buffer, exponent: int | Buffer, unpredictable_number: Buffer) -> bytes:
///     """The offline PIN for VERIFY, enciphered under a card's public key (EMV Book 2 7.2).
///
///     `modulus` is odd and 128 to 248 bytes long, the exponent 3 or 65537 (an int, or bytes as in 9F2E
///     and 9F47), `unpredictable_number` the card's 8 bytes of GET CHALLENGE. The answer is as long as
///     the modulus. Ends the PIN entry and wipes the PIN whatever happens. PinLimitError as `pin_block`.
///     """
static mp_obj_t pin_enciphered(mp_obj_t modulus, mp_obj_t exponent, mp_obj_t unpredictable_number) {
    uint8_t data[PINMAC_PIN_MODULUS_MAX];
    mp_buffer_info_t key = {0};
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_buffer_info_t number = bytes_of(unpredictable_number, MP_BUFFER_READ);
        key = bytes_of(modulus, MP_BUFFER_READ);
        uint32_t power = exponent_of(exponent);
        check(pinmac_pin_enciphered(key.buf, key.len, power, number.buf, number.len, data));
        nlr_pop();
    } else {
        pinmac_pin_cancel();
        nlr_jump(nlr.ret_val);
    }
    return mp_obj_new_bytes(data, key.len);
}
static MP_DEFINE_CONST_FUN_OBJ_3(pin_enciphered_obj, pin_enciphered);

/// def mac(slot: int, alg: int, data: Buffer) -> bytes:
///     """The MAC of `data`.
///
///     MAC_CUP ('M0' of DES or TDES) and MAC_CUP_SM4 ('M0' of SM4) give 8 characters, as in field 64;
///     MAC_X99 ('M1', ISO 9797-1 algorithm 1) and MAC_X919 ('M3', algorithm 3) 8 bytes, both with zero
///     padding; MAC_CMAC ('M6') 16 bytes under AES, 8 under TDES. A DUKPT slot gives MAC_X919 (TDES) or
///     MAC_CMAC (AES).
///     """
static mp_obj_t mac(mp_obj_t slot, mp_obj_t alg, mp_obj_t data) {
    mp_buffer_info_t message = bytes_of(data, MP_BUFFER_READ);
    uint8_t value[PINMAC_BLOCK_MAX];
    size_t size;
    check(pinmac_mac(unsigned_of(slot), unsigned_of(alg), message.buf, message.len, value, &size));
    return mp_obj_new_bytes(value, size);
}
static MP_DEFINE_CONST_FUN_OBJ_3(mac_obj, mac);

/// def mac_verify(slot: int, alg: int, data: Buffer, mac: Buffer) -> bool:
///     """True when `mac` is the MAC of `data`; else IntegrityError. It never returns False.
///
///     MAC_CUP and MAC_CUP_SM4 are compared whole (8 characters); of the others the first 4 bytes or
///     more will do. A DUKPT slot takes the key of responses.
///     """
static mp_obj_t mac_verify(size_t count, const mp_obj_t *args) {
    mp_buffer_info_t message = bytes_of(args[2], MP_BUFFER_READ), value = bytes_of(args[3], MP_BUFFER_READ);
    check(pinmac_mac_verify(unsigned_of(args[0]), unsigned_of(args[1]), message.buf, message.len,
        value.buf, value.len));
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mac_verify_obj, 4, 4, mac_verify);

/// def mac_init(slot: int, alg: int) -> None:
///     """Begin a MAC over pieces. There is one such MAC: StateError while it is open.
///
///     Erasing or replacing the slot's key closes it. With a DUKPT slot it ends in `mac_final`.
///     """
static mp_obj_t mac_init(mp_obj_t slot, mp_obj_t alg) {
    check(pinmac_mac_init(unsigned_of(slot), unsigned_of(alg)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mac_init_obj, mac_init);

/// def mac_update(data: Buffer) -> None:
///     """The next piece, of any size."""
static mp_obj_t mac_update(mp_obj_t data) {
    mp_buffer_info_t message = bytes_of(data, MP_BUFFER_READ);
    check(pinmac_mac_update(message.buf, message.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mac_update_obj, mac_update);

/// def mac_final() -> bytes:
///     """The MAC of all pieces, as `mac` gives it; closes the computation."""
static mp_obj_t mac_final(void) {
    uint8_t value[PINMAC_BLOCK_MAX];
    size_t size;
    check(pinmac_mac_final(value, &size));
    return mp_obj_new_bytes(value, size);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mac_final_obj, mac_final);

/// def mac_final_verify(mac: Buffer) -> bool:
///     """True when `mac` is the MAC of all pieces; else IntegrityError. Closes the computation."""
static mp_obj_t mac_final_verify(mp_obj_t mac) {
    mp_buffer_info_t value = bytes_of(mac, MP_BUFFER_READ);
    check(pinmac_mac_final_verify(value.buf, value.len));
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mac_final_verify_obj, mac_final_verify);

typedef enum pinmac_result cbc(unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size);

static mp_obj_t run_cbc(cbc *direction, mp_obj_t slot, mp_obj_t iv, mp_obj_t data) {
    mp_buffer_info_t in = bytes_of(data, MP_BUFFER_READ), vector = bytes_of(iv, MP_BUFFER_READ);
    unsigned number = unsigned_of(slot);
    vstr_t out;
    vstr_init_len(&out, in.len);
    memcpy(out.buf, in.buf, in.len);
    enum pinmac_result result = direction(number, vector.buf, vector.len, (uint8_t *)out.buf, out.len);
    if (result != PINMAC_OK) {
        vstr_clear(&out);
        check(result);
    }
    return mp_obj_new_bytes_from_vstr(&out);
}

/// def encrypt(slot: int, iv: Buffer, data: Buffer) -> bytes:
///     """CBC over whole blocks under a 'D0' key of AES or SM4 (`iv` 16 bytes) or TDES (8), or a DUKPT slot."""
static mp_obj_t encrypt(mp_obj_t slot, mp_obj_t iv, mp_obj_t data) {
    return run_cbc(pinmac_encrypt, slot, iv, data);
}
static MP_DEFINE_CONST_FUN_OBJ_3(encrypt_obj, encrypt);

/// def decrypt(slot: int, iv: Buffer, data: Buffer) -> bytes:
///     """The reverse of `encrypt`. A key from `load_working` only enciphers: KeyUsageError.
///
///     A DUKPT slot takes the key of responses.
///     """
static mp_obj_t decrypt(mp_obj_t slot, mp_obj_t iv, mp_obj_t data) {
    return run_cbc(pinmac_decrypt, slot, iv, data);
}
static MP_DEFINE_CONST_FUN_OBJ_3(decrypt_obj, decrypt);

/// def encrypt_track(slot: int, track: str) -> bytes:
///     """Field 35 or 36 under a DES or TDES 'D0' key, two digits a byte, left-justified.
///
///     `track` is 18 to 104 characters: digits, '=' or 'D'. The last byte stays clear, the eight
///     before it are enciphered (PROTOCOL.md).
///     """
static mp_obj_t encrypt_track(mp_obj_t slot, mp_obj_t track) {
    size_t length;
    const char *text = mp_obj_str_get_data(track, &length);
    uint8_t packed[PINMAC_TRACK_MAX / 2];
    check(pinmac_encrypt_track(unsigned_of(slot), text, length, packed));
    return mp_obj_new_bytes(packed, (length + 1) / 2);
}
static MP_DEFINE_CONST_FUN_OBJ_2(encrypt_track_obj, encrypt_track);

/// def rsa_recover(modulus: Buffer, exponent: int | Buffer, data: Buffer) -> bytes:
///     """data^exponent mod modulus, as long as the modulus (EMV Book 2 5, 6: recovery of certificates).
///
///     An odd `modulus` of 64 to 256 bytes that begins with a byte other than zero, an exponent of 3 or
///     65537 (int or bytes), `data` as long as the modulus and below it.
///     """
static mp_obj_t rsa_recover(mp_obj_t modulus, mp_obj_t exponent, mp_obj_t data) {
    mp_buffer_info_t key = bytes_of(modulus, MP_BUFFER_READ), in = bytes_of(data, MP_BUFFER_READ);
    uint8_t recovered[PINMAC_RSA_MAX];
    check(in.len <= sizeof recovered ? PINMAC_OK : PINMAC_BAD_SIZE);
    memcpy(recovered, in.buf, in.len);
    check(pinmac_rsa_recover(key.buf, key.len, exponent_of(exponent), recovered, in.len));
    return mp_obj_new_bytes(recovered, in.len);
}
static MP_DEFINE_CONST_FUN_OBJ_3(rsa_recover_obj, rsa_recover);

/// def random(n: int) -> bytes:
///     """`n` bytes (1 to 4096) of the hardware's entropy."""
static mp_obj_t random_(mp_obj_t size) {
    unsigned wanted = unsigned_of(size);
    check(wanted >= 1 && wanted <= RANDOM_MAX ? PINMAC_OK : PINMAC_BAD_SIZE);
    vstr_t out;
    vstr_init_len(&out, wanted);
    check(pinmac_random((uint8_t *)out.buf, out.len));
    return mp_obj_new_bytes_from_vstr(&out);
}
static MP_DEFINE_CONST_FUN_OBJ_1(random_obj, random_);

/// def self_test() -> None:
///     """Known answers of every algorithm, and the entropy source. StateError, and no PIN entry, if one fails."""
static mp_obj_t self_test(void) {
    check(pinmac_self_test());
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(self_test_obj, self_test);

static const mp_rom_map_elem_t pinmac_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_pinmac)},
    {MP_ROM_QSTR(MP_QSTR_DES), MP_ROM_INT(PINMAC_DES)},
    {MP_ROM_QSTR(MP_QSTR_TDES), MP_ROM_INT(PINMAC_TDES)},
    {MP_ROM_QSTR(MP_QSTR_AES), MP_ROM_INT(PINMAC_AES)},
    {MP_ROM_QSTR(MP_QSTR_SM4), MP_ROM_INT(PINMAC_SM4)},
    {MP_ROM_QSTR(MP_QSTR_MAC_CUP), MP_ROM_INT(PINMAC_MAC_CUP)},
    {MP_ROM_QSTR(MP_QSTR_MAC_CMAC), MP_ROM_INT(PINMAC_MAC_CMAC)},
    {MP_ROM_QSTR(MP_QSTR_MAC_X99), MP_ROM_INT(PINMAC_MAC_X99)},
    {MP_ROM_QSTR(MP_QSTR_MAC_X919), MP_ROM_INT(PINMAC_MAC_X919)},
    {MP_ROM_QSTR(MP_QSTR_MAC_CUP_SM4), MP_ROM_INT(PINMAC_MAC_CUP_SM4)},
    {MP_ROM_QSTR(MP_QSTR_Error), MP_ROM_PTR(&pinmac_error_type)},
    {MP_ROM_QSTR(MP_QSTR_KeyUsageError), MP_ROM_PTR(&pinmac_key_usage_error_type)},
    {MP_ROM_QSTR(MP_QSTR_IntegrityError), MP_ROM_PTR(&pinmac_integrity_error_type)},
    {MP_ROM_QSTR(MP_QSTR_StateError), MP_ROM_PTR(&pinmac_state_error_type)},
    {MP_ROM_QSTR(MP_QSTR_PinLimitError), MP_ROM_PTR(&pinmac_pin_limit_error_type)},
    {MP_ROM_QSTR(MP_QSTR_PinExpiredError), MP_ROM_PTR(&pinmac_pin_expired_error_type)},
    {MP_ROM_QSTR(MP_QSTR_load_component), MP_ROM_PTR(&load_component_obj)},
    {MP_ROM_QSTR(MP_QSTR_load_working), MP_ROM_PTR(&load_working_obj)},
    {MP_ROM_QSTR(MP_QSTR_load_block), MP_ROM_PTR(&load_block_obj)},
    {MP_ROM_QSTR(MP_QSTR_export_block), MP_ROM_PTR(&export_block_obj)},
    {MP_ROM_QSTR(MP_QSTR_load_dukpt), MP_ROM_PTR(&load_dukpt_obj)},
    {MP_ROM_QSTR(MP_QSTR_dukpt_next), MP_ROM_PTR(&dukpt_next_obj)},
    {MP_ROM_QSTR(MP_QSTR_generate), MP_ROM_PTR(&generate_obj)},
    {MP_ROM_QSTR(MP_QSTR_kcv), MP_ROM_PTR(&kcv_obj)},
    {MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&info_obj)},
    {MP_ROM_QSTR(MP_QSTR_erase), MP_ROM_PTR(&erase_obj)},
    {MP_ROM_QSTR(MP_QSTR_zeroize), MP_ROM_PTR(&zeroize_obj)},
    {MP_ROM_QSTR(MP_QSTR_seal), MP_ROM_PTR(&seal_obj)},
    {MP_ROM_QSTR(MP_QSTR_unseal), MP_ROM_PTR(&unseal_obj)},
    {MP_ROM_QSTR(MP_QSTR_pin_begin), MP_ROM_PTR(&pin_begin_obj)},
    {MP_ROM_QSTR(MP_QSTR_pin_digit), MP_ROM_PTR(&pin_digit_obj)},
    {MP_ROM_QSTR(MP_QSTR_pin_back), MP_ROM_PTR(&pin_back_obj)},
    {MP_ROM_QSTR(MP_QSTR_pin_len), MP_ROM_PTR(&pin_len_obj)},
    {MP_ROM_QSTR(MP_QSTR_pin_cancel), MP_ROM_PTR(&pin_cancel_obj)},
    {MP_ROM_QSTR(MP_QSTR_pin_block), MP_ROM_PTR(&pin_block_obj)},
    {MP_ROM_QSTR(MP_QSTR_pin_enciphered), MP_ROM_PTR(&pin_enciphered_obj)},
    {MP_ROM_QSTR(MP_QSTR_mac), MP_ROM_PTR(&mac_obj)},
    {MP_ROM_QSTR(MP_QSTR_mac_verify), MP_ROM_PTR(&mac_verify_obj)},
    {MP_ROM_QSTR(MP_QSTR_mac_init), MP_ROM_PTR(&mac_init_obj)},
    {MP_ROM_QSTR(MP_QSTR_mac_update), MP_ROM_PTR(&mac_update_obj)},
    {MP_ROM_QSTR(MP_QSTR_mac_final), MP_ROM_PTR(&mac_final_obj)},
    {MP_ROM_QSTR(MP_QSTR_mac_final_verify), MP_ROM_PTR(&mac_final_verify_obj)},
    {MP_ROM_QSTR(MP_QSTR_encrypt), MP_ROM_PTR(&encrypt_obj)},
    {MP_ROM_QSTR(MP_QSTR_decrypt), MP_ROM_PTR(&decrypt_obj)},
    {MP_ROM_QSTR(MP_QSTR_encrypt_track), MP_ROM_PTR(&encrypt_track_obj)},
    {MP_ROM_QSTR(MP_QSTR_rsa_recover), MP_ROM_PTR(&rsa_recover_obj)},
    {MP_ROM_QSTR(MP_QSTR_random), MP_ROM_PTR(&random_obj)},
    {MP_ROM_QSTR(MP_QSTR_self_test), MP_ROM_PTR(&self_test_obj)},
};
static MP_DEFINE_CONST_DICT(pinmac_globals, pinmac_globals_table);

const mp_obj_module_t pinmac_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&pinmac_globals,
};
MP_REGISTER_MODULE(MP_QSTR_pinmac, pinmac_module);
