// MAC_CUP: the message authentication code of UnionPay terminals (PROTOCOL.md, "MAC").
#ifndef PINMAC_MAC_CUP_H
#define PINMAC_MAC_CUP_H

#include <stddef.h>
#include <stdint.h>

#include "cipher.h"

enum { PINMAC_CUP_SIZE = 8 };

struct pinmac_cup {
    struct pinmac_cipher cipher;
    uint8_t folded[PINMAC_BLOCK_MAX];
    size_t column;
};

// A DES key (8 bytes), a TDES key (16, 24), or an SM4 key (16), whose blocks of 16 bytes take the place
// of those of 8 (the acquirers' form for the Chinese algorithms; R is then 32 characters).
void pinmac_cup_init(
    struct pinmac_cup *cup, enum pinmac_algorithm algorithm, const uint8_t *key, size_t size);
void pinmac_cup_update(struct pinmac_cup *cup, const uint8_t *data, size_t size);
// Eight upper-case hexadecimal characters, as field 64 carries them; wipes the structure.
void pinmac_cup_final(struct pinmac_cup *cup, uint8_t mac[PINMAC_CUP_SIZE]);

#endif
