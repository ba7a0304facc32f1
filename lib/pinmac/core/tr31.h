// Key blocks of ANSI X9.143 (formerly TR-31) made by the key derivation binding method: version D
// under AES, version B under TDES. Versions A and C, the variant method, are not accepted.
#ifndef PINMAC_TR31_H
#define PINMAC_TR31_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cipher.h"

enum {
    PINMAC_TR31_HEADER = 16,
    PINMAC_TR31_DATA_MAX = 48, // length field and longest key in whole AES blocks
    PINMAC_TR31_MAC = 16,
    PINMAC_TR31_MAX = PINMAC_TR31_HEADER + 2 * (PINMAC_TR31_DATA_MAX + PINMAC_TR31_MAC),
    PINMAC_TR31_IMPORT_MAX = 512, // characters of a block that may be unwrapped
};

// A key with its header's terms (X9.143 6.2, table 1), in the header's characters.
struct pinmac_key {
    char usage[2];
    char mode;
    char exportability;
    char version[2];   // key version number, "00" when it has none
    uint8_t algorithm; // enum pinmac_algorithm
    uint8_t size;      // bytes of value
    uint8_t value[PINMAC_KEY_MAX];
};

// Wrap `key` in a version D block without optional blocks, under an AES protection key. The data
// is padded to the longest key of the algorithm; `padding` is PINMAC_TR31_DATA_MAX random bytes.
// Writes ASCII into `block` (PINMAC_TR31_MAX bytes) and returns its length. Uses pinmac_work's cipher
// and MAC, and wipes them.
size_t pinmac_tr31_wrap(const struct pinmac_key *protection, const struct pinmac_key *key,
    const uint8_t *padding, char *block);

// Unwrap a block of `size` characters: version D under an AES protection key, version B under one that
// is TDES. Optional blocks are checked for form, authenticated with the header, and dropped. Which
// usage, mode and algorithm is welcome is for the caller to say. False, with `key` wiped, for all
// that is not an authentic block of at most PINMAC_TR31_IMPORT_MAX characters holding a key whose
// size is right. `key` is not `protection`. Uses pinmac_work's cipher and MAC, and wipes them.
bool pinmac_tr31_unwrap(
    const struct pinmac_key *protection, const char *block, size_t size, struct pinmac_key *key);

#endif
