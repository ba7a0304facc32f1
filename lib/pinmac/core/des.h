// DES and TDES on one block (FIPS 46-3; NIST SP 800-67). The parity bits of keys are ignored.
#ifndef PINMAC_DES_H
#define PINMAC_DES_H

#include <stddef.h>
#include <stdint.h>

enum { PINMAC_DES_BLOCK = 8, PINMAC_DES_ROUNDS = 16 };

// Sixteen round keys of eight six-bit groups.
struct pinmac_des_schedule {
    uint8_t round[PINMAC_DES_ROUNDS][8];
};

// One, two or three keys (8, 16 or 24 bytes); two keys are K1, K2, K1 (SP 800-67 3.2, keying option 2).
struct pinmac_tdes {
    unsigned keys;
    struct pinmac_des_schedule schedule[3];
};

void pinmac_tdes_init(struct pinmac_tdes *tdes, const uint8_t *key, size_t key_size);
void pinmac_tdes_encrypt(const struct pinmac_tdes *tdes, uint8_t block[PINMAC_DES_BLOCK]);
// The first key's DES alone (the retail MAC).
void pinmac_tdes_encrypt_first(const struct pinmac_tdes *tdes, uint8_t block[PINMAC_DES_BLOCK]);
void pinmac_tdes_decrypt(const struct pinmac_tdes *tdes, uint8_t block[PINMAC_DES_BLOCK]);

#endif
