// The CBC-MACs of ISO/IEC 9797-1 with zero padding (method 1): algorithm 1 (ANSI X9.9) and algorithm 3
// (ANSI X9.19, the retail MAC).
#ifndef PINMAC_CBC_MAC_H
#define PINMAC_CBC_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cipher.h"

struct pinmac_cbc_mac {
    struct pinmac_cipher cipher;
    bool retail; // the blocks before the last under the first key alone
    uint8_t chain[PINMAC_DES_BLOCK];
    size_t column; // bytes of the current block that are in the chain
};

// A DES key (8 bytes) or TDES key (16, 24) for algorithm 1, a TDES key of two parts for algorithm 3.
void pinmac_cbc_mac_init(struct pinmac_cbc_mac *mac, bool retail, enum pinmac_algorithm algorithm,
    const uint8_t *key, size_t size);
void pinmac_cbc_mac_update(struct pinmac_cbc_mac *mac, const uint8_t *data, size_t size);
// Eight bytes; wipes the structure. No data at all are one block of zeros.
void pinmac_cbc_mac_final(struct pinmac_cbc_mac *mac, uint8_t out[PINMAC_DES_BLOCK]);

#endif
