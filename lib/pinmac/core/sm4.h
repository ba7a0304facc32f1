// SM4 on one block (GB/T 32907-2016), keys of 16 bytes.
#ifndef PINMAC_SM4_H
#define PINMAC_SM4_H

#include <stdint.h>

enum { PINMAC_SM4_BLOCK = 16, PINMAC_SM4_KEY = 16, PINMAC_SM4_ROUNDS = 32 };

struct pinmac_sm4 {
    uint32_t round_key[PINMAC_SM4_ROUNDS];
};

void pinmac_sm4_init(struct pinmac_sm4 *sm4, const uint8_t key[PINMAC_SM4_KEY]);
void pinmac_sm4_encrypt(const struct pinmac_sm4 *sm4, uint8_t block[PINMAC_SM4_BLOCK]);
void pinmac_sm4_decrypt(const struct pinmac_sm4 *sm4, uint8_t block[PINMAC_SM4_BLOCK]);

#endif
