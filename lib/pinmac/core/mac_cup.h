// MAC_CUP: the message authentication code of UnionPay terminals (PROTOCOL.md, "MAC").
#ifndef PINMAC_MAC_CUP_H
#define PINMAC_MAC_CUP_H

#include <stddef.h>
#include <stdint.h>

#include "cipher.h"

enum { PINMAC_CUP_SIZE = 8 };

struct pinmac_cup {
    struct pinmac_cipher cipher;
    uint8_t folded[PINMAC_DES_BLOCK];
    unsigned column;
};

// A DES key (8 bytes) or a TDES key (16, 24).
void pinmac_cup_init(
    struct pinmac_cup *cup, enum pinmac_algorithm algorithm, const uint8_t *key, size_t size);
void pinmac_cup_update(struct pinmac_cup *cup, const uint8_t *data, size_t size);
// Eight upper-case hexadecimal characters, as field 64 carries them; wipes the structure.
void pinmac_cup_final(struct pinmac_cup *cup, uint8_t mac[PINMAC_CUP_SIZE]);

#endif
