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
#include "tr31.h"

enum { PINMAC_SLOTS = 32, PINMAC_KCV = 3, PINMAC_WORKING_KCV = 4, PINMAC_MAC_MIN = 4 };
enum pinmac_mac_algorithm { PINMAC_MAC_CUP = 1, PINMAC_MAC_CMAC = 2 };

// ---- keys (keys.c)

// XOR a component into a key-encrypting slot ('K0', 'K1'). `part` is wiped whatever happens. The
// second component completes the key: `complete` becomes true and `kcv` is filled.
enum pinmac_result pinmac_load_component(unsigned slot, const char usage[2], unsigned algorithm,
    uint8_t *part, size_t size, bool *complete, uint8_t kcv[PINMAC_KCV]);

// A UnionPay working key: ECB under the master key of `master_slot`; the check value is compared
// and the cryptogram bound to its usage before the slot changes.
enum pinmac_result pinmac_load_working(unsigned slot, const char usage[2], const uint8_t *cryptogram,
    size_t size, unsigned master_slot, const uint8_t *kcv, size_t kcv_size);

// A fresh key: AES-256, or TDES of three keys with odd parity.
enum pinmac_result pinmac_generate(
    unsigned slot, const char usage[2], unsigned algorithm, uint8_t kcv[PINMAC_KCV]);

enum pinmac_result pinmac_kcv(unsigned slot, uint8_t kcv[PINMAC_KCV]);

struct pinmac_info {
    bool empty;
    bool complete;
    char usage[2];
    char mode;
    char exportability;
    enum pinmac_algorithm algorithm;
    size_t size;
};
enum pinmac_result pinmac_info(unsigned slot, struct pinmac_info *info);

enum pinmac_result pinmac_erase(unsigned slot);
// Wipe every slot, PIN entry and MAC and destroy the salt, so that no sealed block opens again.
enum pinmac_result pinmac_zeroize(void);

// A slot as a TR-31 version D block under the device's key; `block` has PINMAC_TR31_MAX bytes.
enum pinmac_result pinmac_seal(unsigned slot, char *block, size_t *size);
enum pinmac_result pinmac_unseal(unsigned slot, const char *block, size_t size, uint8_t kcv[PINMAC_KCV]);

// ---- PIN entry (entry.c)

// Open an entry, wiping one that was open.
enum pinmac_result pinmac_pin_begin(unsigned min_length, unsigned max_length);
// The number of digits entered comes back in `length`.
enum pinmac_result pinmac_pin_digit(unsigned digit, unsigned *length);
enum pinmac_result pinmac_pin_back(unsigned *length);
enum pinmac_result pinmac_pin_length(unsigned *length);
void pinmac_pin_cancel(void);
// The enciphered PIN block. Ends the entry and wipes the PIN whatever happens.
enum pinmac_result pinmac_pin_block(
    unsigned slot, int format, const char *pan, size_t pan_length, uint8_t block[PINMAC_PIN_BLOCK]);

// ---- MACs (macs.c)

// `mac` has PINMAC_BLOCK_MAX bytes; `mac_size` says how many of them are the MAC: 8 characters for
// MAC_CUP, one block for CMAC.
enum pinmac_result pinmac_mac(unsigned slot, unsigned algorithm, const uint8_t *data, size_t size,
    uint8_t *mac, size_t *mac_size);
// MAC_CUP is compared whole; of a CMAC, four bytes or more.
enum pinmac_result pinmac_mac_verify(unsigned slot, unsigned algorithm, const uint8_t *data, size_t size,
    const uint8_t *mac, size_t mac_size);

enum pinmac_result pinmac_mac_init(unsigned slot, unsigned algorithm);
enum pinmac_result pinmac_mac_update(const uint8_t *data, size_t size);
enum pinmac_result pinmac_mac_final(uint8_t *mac, size_t *mac_size);
enum pinmac_result pinmac_mac_final_verify(const uint8_t *mac, size_t mac_size);
// Forget the open computation, if it uses the slot.
void pinmac_mac_forget(unsigned slot);

// ---- data (data.c)

// CBC in place over whole blocks under a 'D0' key of AES or TDES.
enum pinmac_result pinmac_encrypt(
    unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size);
enum pinmac_result pinmac_decrypt(
    unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size);

// Field 35 or 36: two digits a byte, left-justified; the eight bytes before the last one enciphered
// in ECB (PROTOCOL.md). `packed` has (length + 1) / 2 bytes.
enum { PINMAC_TRACK_MIN = 18, PINMAC_TRACK_MAX = 104 };
enum pinmac_result pinmac_encrypt_track(unsigned slot, const char *track, size_t length, uint8_t *packed);

enum pinmac_result pinmac_random(uint8_t *bytes, size_t size);

// ---- self-test (self_test.c)

// Known answers of every algorithm, and the entropy source. A failure blocks PIN entry.
enum pinmac_result pinmac_self_test(void);
// The result of the last self-test; runs it when none was made.
enum pinmac_result pinmac_self_tested(void);

#endif
