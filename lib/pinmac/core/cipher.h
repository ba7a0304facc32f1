// The block ciphers behind one face, and what is built from any of them: ECB, CBC, CMAC, check values.
#ifndef PINMAC_CIPHER_H
#define PINMAC_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aes.h"
#include "des.h"
#include "sm4.h"

enum pinmac_algorithm { PINMAC_DES = 1, PINMAC_TDES = 2, PINMAC_AES = 3, PINMAC_SM4 = 4 };
enum { PINMAC_BLOCK_MAX = 16, PINMAC_KEY_MAX = 32 };

struct pinmac_cipher {
    size_t block_size;
    enum pinmac_algorithm algorithm;
    union {
        struct pinmac_tdes tdes;
        struct pinmac_aes aes;
        struct pinmac_sm4 sm4;
    } schedule;
};

// Is this a size, in bytes, of a key of the algorithm? DES 8; TDES 16, 24; AES 16, 24, 32; SM4 16.
bool pinmac_key_size_ok(enum pinmac_algorithm algorithm, size_t size);

// Expand a key whose size is right. Wipe the structure after use.
void pinmac_cipher_init(
    struct pinmac_cipher *cipher, enum pinmac_algorithm algorithm, const uint8_t *key, size_t size);

// One block in place.
void pinmac_cipher_encrypt(const struct pinmac_cipher *cipher, uint8_t *block);
void pinmac_cipher_decrypt(const struct pinmac_cipher *cipher, uint8_t *block);

// Whole blocks in place, cipher block chaining (NIST SP 800-38A 6.2); `chain` enters as the
// initialisation vector and leaves as the last block of ciphertext.
void pinmac_cbc_encrypt(const struct pinmac_cipher *cipher, uint8_t *chain, uint8_t *data, size_t size);
void pinmac_cbc_decrypt(const struct pinmac_cipher *cipher, uint8_t *chain, uint8_t *data, size_t size);

// CMAC (NIST SP 800-38B; RFC 4493 for AES-128) over data that comes in pieces.
struct pinmac_cmac {
    struct pinmac_cipher cipher;
    uint8_t chain[PINMAC_BLOCK_MAX];
    uint8_t pending[PINMAC_BLOCK_MAX];
    size_t pending_size;
};

void pinmac_cmac_init(
    struct pinmac_cmac *cmac, enum pinmac_algorithm algorithm, const uint8_t *key, size_t size);
void pinmac_cmac_update(struct pinmac_cmac *cmac, const uint8_t *data, size_t size);
// The MAC, one block of the cipher; wipes the structure.
void pinmac_cmac_final(struct pinmac_cmac *cmac, uint8_t *mac);

// The first five bytes of a key's check value: the encryption of a block of zeros for DES and TDES
// (ANSI X9.24-1) and for SM4 (PINMAC.md), the CMAC of sixteen zero bytes for AES (ANSI X9.24-1:2017
// Annex A). Works in `cmac` and wipes it.
enum { PINMAC_CHECK_VALUE = 5 };
void pinmac_check_value(struct pinmac_cmac *cmac, enum pinmac_algorithm algorithm, const uint8_t *key,
    size_t size, uint8_t check_value[PINMAC_CHECK_VALUE]);

#endif
