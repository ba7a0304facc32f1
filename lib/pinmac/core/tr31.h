// Key blocks of ANSI X9.143 (TR-31) version D, the AES key derivation binding method.
#ifndef PINMAC_TR31_H
#define PINMAC_TR31_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cipher.h"

enum {
    PINMAC_TR31_HEADER = 16,
    PINMAC_TR31_DATA_MAX = 48,
    PINMAC_TR31_MAC = 16,
    PINMAC_TR31_MAX = PINMAC_TR31_HEADER + 2 * (PINMAC_TR31_DATA_MAX + PINMAC_TR31_MAC),
};

// A key with the header's terms (X9.143 table 1: usage, algorithm, mode of use, exportability).
struct pinmac_key {
    char usage[2];
    char mode;
    char exportability;
    enum pinmac_algorithm algorithm;
    size_t size;
    uint8_t value[PINMAC_KEY_MAX];
};

// Wrap under an AES-256 key block protection key. `padding` is PINMAC_TR31_DATA_MAX random bytes.
// Writes ASCII into `block` (PINMAC_TR31_MAX bytes) and returns its length.
size_t pinmac_tr31_wrap(const uint8_t protection_key[32], const struct pinmac_key *key,
    const uint8_t *padding, char *block);

// Unwrap what pinmac_tr31_wrap wrote. False for anything that is not an authentic block: wrong
// length, version, header, hexadecimal, optional blocks, MAC or key size; `key` is then wiped.
bool pinmac_tr31_unwrap(
    const uint8_t protection_key[32], const char *block, size_t size, struct pinmac_key *key);

#endif
