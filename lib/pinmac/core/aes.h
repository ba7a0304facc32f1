// AES on one block (FIPS 197), keys of 16, 24 or 32 bytes.
#ifndef PINMAC_AES_H
#define PINMAC_AES_H

#include <stddef.h>
#include <stdint.h>

enum { PINMAC_AES_BLOCK = 16, PINMAC_AES_KEY_MAX = 32 };

struct pinmac_aes {
    unsigned rounds;
    uint32_t round_key[15][4];  // as planes
};

void pinmac_aes_init(struct pinmac_aes *aes, const uint8_t *key, size_t key_size);
void pinmac_aes_encrypt(const struct pinmac_aes *aes, uint8_t block[PINMAC_AES_BLOCK]);
void pinmac_aes_decrypt(const struct pinmac_aes *aes, uint8_t block[PINMAC_AES_BLOCK]);

#endif
