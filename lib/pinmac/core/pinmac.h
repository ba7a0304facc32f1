// The calls of pinmac. Plain C99: no allocation, all secrets in static memory, one caller at a time.
//
// Usages are the two characters of TR-31. A call that fails changes nothing, save where it says so.
#ifndef PINMAC_H
#define PINMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cipher.h"
#include "mac_cup.h"
#include "pin.h"
#include "result.h"
#include "rsa.h"
#include "tr31.h"

enum { PINMAC_SLOTS = 32, PINMAC_KCV = 3, PINMAC_WORKING_KCV = 4, PINMAC_MAC_MIN = 4 };
enum pinmac_mac_algorithm {
    PINMAC_MAC_CUP = 1,     // UnionPay's, under DES or TDES: 'M0'
    PINMAC_MAC_CMAC = 2,    // under TDES or AES: 'M6'
    PINMAC_MAC_X99 = 3,     // ISO 9797-1 algorithm 1, under DES or TDES: 'M1'
    PINMAC_MAC_X919 = 4,    // ISO 9797-1 algorithm 3, under TDES of two keys: 'M3'
    PINMAC_MAC_CUP_SM4 = 5, // UnionPay's form under SM4: 'M0'
};

// ---- keys from outside (inject.c)

// XOR a component into a key-encrypting slot ('K0', 'K1'). `part` is wiped whatever happens. The
// second component completes the key: `complete` becomes true and `kcv` is filled.
enum pinmac_result pinmac_load_component(unsigned slot, const char usage[2], unsigned algorithm,
    uint8_t *part, size_t size, bool *complete, uint8_t kcv[PINMAC_KCV]);

// A UnionPay working key: ECB under the master key of `master_slot`; the check value is compared
// and the cryptogram bound to its usage before the slot changes.
enum pinmac_result pinmac_load_working(unsigned slot, const char usage[2], const uint8_t *cryptogram,
    size_t size, unsigned master_slot, const uint8_t *kcv, size_t kcv_size);

// ---- key blocks and generated keys (blocks.c)

// A TR-31 block (versions B and D) under the 'K1' key of `kbpk_slot`; everything about the key comes
// from the block's header.
enum pinmac_result pinmac_load_block(
    unsigned slot, const char *block, size_t size, unsigned kbpk_slot, uint8_t kcv[PINMAC_KCV]);

// A slot as a TR-31 version D block under an AES key, if its exportability is 'E' or 'S'; `block` has
// PINMAC_TR31_MAX bytes.
enum pinmac_result pinmac_export_block(unsigned slot, unsigned kbpk_slot, char *block, size_t *size);

// A fresh key: AES-256, SM4, or TDES of three keys (two for 'M3') with odd parity. It is exportable.
enum pinmac_result pinmac_generate(
    unsigned slot, const char usage[2], unsigned algorithm, uint8_t kcv[PINMAC_KCV]);

// A slot as bytes for storage: a TR-31 version D block under the device's key, or a DUKPT state
// (dukpt_seal.c); `blob` has PINMAC_SEALED_MAX bytes.
enum { PINMAC_SEALED_MAX = 580 };
enum pinmac_result pinmac_seal(unsigned slot, uint8_t *blob, size_t *size);
enum pinmac_result pinmac_unseal(unsigned slot, const uint8_t *blob, size_t size, uint8_t kcv[PINMAC_KCV]);

// ---- DUKPT (dukpt.c)

// An initial key: a TR-31 block of usage 'B1', TDES of two keys or AES-128, and its key serial number
// (10 bytes for TDES, 12 for AES); a counter in it is taken as used. One key an algorithm.
enum pinmac_result pinmac_load_dukpt(unsigned slot, const char *block, size_t size, unsigned kbpk_slot,
    const uint8_t *ksn, size_t ksn_length, uint8_t kcv[PINMAC_KCV]);

// The next transaction: its key is the slot's until the next call, and its serial number comes back. The
// first call that asks for the key spends it durably, even if it is then refused: sealed states from
// before dukpt_next do not open any more.
enum { PINMAC_KSN_MAX = 12 };
enum pinmac_result pinmac_dukpt_next(unsigned slot, uint8_t ksn[PINMAC_KSN_MAX], size_t *size);

// ---- slots (ring.c)

enum pinmac_result pinmac_kcv(unsigned slot, uint8_t kcv[PINMAC_KCV]);

struct pinmac_info {
    bool empty;
    bool complete;
    char usage[2];
    char version[2];
    char mode;
    char exportability;
    enum pinmac_algorithm algorithm;
    size_t size;
};
enum pinmac_result pinmac_info(unsigned slot, struct pinmac_info *info);

enum pinmac_result pinmac_erase(unsigned slot);
// Wipe every slot, PIN entry and MAC and destroy the salt, so that no sealed block opens again.
enum pinmac_result pinmac_zeroize(void);

// ---- PIN entry (entry.c)

// Open an entry, wiping one that was open.
enum pinmac_result pinmac_pin_begin(unsigned min_length, unsigned max_length);
// The number of digits entered comes back in `length`.
enum pinmac_result pinmac_pin_digit(unsigned digit, unsigned *length);
enum pinmac_result pinmac_pin_back(unsigned *length);
enum pinmac_result pinmac_pin_length(unsigned *length);
void pinmac_pin_cancel(void);
// The enciphered PIN block: formats 0, 1 and 3 under TDES (8 bytes), 4 under AES or SM4 (16). Ends the
// entry and wipes the PIN whatever happens. Format 1 does not look at the PAN.
enum pinmac_result pinmac_pin_block(unsigned slot, int format, const char *pan, size_t pan_length,
    uint8_t block[PINMAC_PIN_BLOCK_MAX], size_t *size);

// The offline PIN enciphered for VERIFY (EMV Book 2 7.2) under a card's public key: an odd modulus of
// 1024 to 1984 bits, exponent 3 or 65537; `out` has the modulus's size. Ends the entry as above.
enum { PINMAC_PIN_MODULUS_MIN = 128, PINMAC_PIN_MODULUS_MAX = 248, PINMAC_UNPREDICTABLE_NUMBER = 8 };
enum pinmac_result pinmac_pin_enciphered(const uint8_t *modulus, size_t size, uint32_t exponent,
    const uint8_t *unpredictable_number, size_t number_size, uint8_t *out);

// ---- MACs (macs.c)

// `mac` has PINMAC_BLOCK_MAX bytes; `mac_size` says how many of them are the MAC: 8 characters for
// MAC_CUP and its SM4 form, one block for the others. A DUKPT slot makes X919 (TDES) or CMAC (AES).
enum pinmac_result pinmac_mac(unsigned slot, unsigned algorithm, const uint8_t *data, size_t size,
    uint8_t *mac, size_t *mac_size);
// MAC_CUP is compared whole; of the others, four bytes or more. A DUKPT slot takes its response key.
enum pinmac_result pinmac_mac_verify(unsigned slot, unsigned algorithm, const uint8_t *data, size_t size,
    const uint8_t *mac, size_t mac_size);

enum pinmac_result pinmac_mac_init(unsigned slot, unsigned algorithm);
enum pinmac_result pinmac_mac_update(const uint8_t *data, size_t size);
enum pinmac_result pinmac_mac_final(uint8_t *mac, size_t *mac_size);
enum pinmac_result pinmac_mac_final_verify(const uint8_t *mac, size_t mac_size);
// Forget the open computation, if it uses the slot.
void pinmac_mac_forget(unsigned slot);

// ---- data (data.c)

// CBC in place over whole blocks under a 'D0' key of TDES, AES or SM4, or a DUKPT slot's data key.
enum pinmac_result pinmac_encrypt(
    unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size);
enum pinmac_result pinmac_decrypt(
    unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size);

// Field 35 or 36: two digits a byte, left-justified; the eight bytes before the last one enciphered
// in ECB (PROTOCOL.md). `packed` has (length + 1) / 2 bytes.
enum { PINMAC_TRACK_MIN = 18, PINMAC_TRACK_MAX = 104 };
enum pinmac_result pinmac_encrypt_track(unsigned slot, const char *track, size_t length, uint8_t *packed);

// data^exponent mod modulus in place, for EMV certificates: an odd modulus of 512 to 2048 bits whose
// first byte is not zero, exponent 3 or 65537.
enum pinmac_result pinmac_rsa_recover(
    const uint8_t *modulus, size_t modulus_size, uint32_t exponent, uint8_t *data, size_t size);

enum pinmac_result pinmac_random(uint8_t *bytes, size_t size);

// ---- self-test (self_test.c)

// Known answers of every algorithm, and the entropy source. A failure blocks PIN entry.
enum pinmac_result pinmac_self_test(void);
// The result of the last self-test; runs it when none was made.
enum pinmac_result pinmac_self_tested(void);

#endif
