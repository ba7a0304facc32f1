// Dispatch to the block ciphers; CBC, CMAC and key check values on top of them.
#include "cipher.h"

#include <string.h>

#include "secure.h"

bool pinmac_key_size_ok(enum pinmac_algorithm algorithm, size_t size) {
    switch (algorithm) {
        case PINMAC_DES:
            return size == 8;
        case PINMAC_TDES:
            return size == 16 || size == 24;
        case PINMAC_AES:
            return size == 16 || size == 24 || size == 32;
        case PINMAC_SM4:
            return size == 16;
        default:
            return false;
    }
}

void pinmac_cipher_init(
    struct pinmac_cipher *cipher, enum pinmac_algorithm algorithm, const uint8_t *key, size_t size) {
    cipher->algorithm = algorithm;
    if (algorithm == PINMAC_AES) {
        cipher->block_size = PINMAC_AES_BLOCK;
        pinmac_aes_init(&cipher->schedule.aes, key, size);
    } else if (algorithm == PINMAC_SM4) {
        cipher->block_size = PINMAC_SM4_BLOCK;
        pinmac_sm4_init(&cipher->schedule.sm4, key);
    } else {
        cipher->block_size = PINMAC_DES_BLOCK;
        pinmac_tdes_init(&cipher->schedule.tdes, key, size);
    }
}

void pinmac_cipher_encrypt(const struct pinmac_cipher *cipher, uint8_t *block) {
    if (cipher->algorithm == PINMAC_AES) {
        pinmac_aes_encrypt(&cipher->schedule.aes, block);
    } else if (cipher->algorithm == PINMAC_SM4) {
        pinmac_sm4_encrypt(&cipher->schedule.sm4, block);
    } else {
        pinmac_tdes_encrypt(&cipher->schedule.tdes, block);
    }
}

void pinmac_cipher_decrypt(const struct pinmac_cipher *cipher, uint8_t *block) {
    if (cipher->algorithm == PINMAC_AES) {
        pinmac_aes_decrypt(&cipher->schedule.aes, block);
    } else if (cipher->algorithm == PINMAC_SM4) {
        pinmac_sm4_decrypt(&cipher->schedule.sm4, block);
    } else {
        pinmac_tdes_decrypt(&cipher->schedule.tdes, block);
    }
}

void pinmac_cbc_encrypt(const struct pinmac_cipher *cipher, uint8_t *chain, uint8_t *data, size_t size) {
    for (size_t at = 0; at < size; at += cipher->block_size) {
        pinmac_xor(data + at, chain, cipher->block_size);
        pinmac_cipher_encrypt(cipher, data + at);
        memcpy(chain, data + at, cipher->block_size);
    }
}

void pinmac_cbc_decrypt(const struct pinmac_cipher *cipher, uint8_t *chain, uint8_t *data, size_t size) {
    for (size_t at = 0; at < size; at += cipher->block_size) {
        uint8_t ciphertext[PINMAC_BLOCK_MAX];
        memcpy(ciphertext, data + at, cipher->block_size);
        pinmac_cipher_decrypt(cipher, data + at);
        pinmac_xor(data + at, chain, cipher->block_size);
        memcpy(chain, ciphertext, cipher->block_size);
    }
}

void pinmac_cmac_init(
    struct pinmac_cmac *cmac, enum pinmac_algorithm algorithm, const uint8_t *key, size_t size) {
    memset(cmac->chain, 0, sizeof cmac->chain);
    cmac->pending_size = 0;
    pinmac_cipher_init(&cmac->cipher, algorithm, key, size);
}

// The last block is treated apart, so a full block waits until it is known not to be the last.
void pinmac_cmac_update(struct pinmac_cmac *cmac, const uint8_t *data, size_t size) {
    size_t block_size = cmac->cipher.block_size;
    while (size > 0) {
        if (cmac->pending_size == block_size) {
            pinmac_xor(cmac->chain, cmac->pending, block_size);
            pinmac_cipher_encrypt(&cmac->cipher, cmac->chain);
            cmac->pending_size = 0;
        }
        size_t room = block_size - cmac->pending_size, taken = size < room ? size : room;
        memcpy(cmac->pending + cmac->pending_size, data, taken);
        cmac->pending_size += taken;
        data += taken;
        size -= taken;
    }
}

// Multiplication by x in GF(2^b), SP 800-38B 6.1; R is 1B for 64 bits and 87 for 128.
static void double_subkey(uint8_t *subkey, size_t block_size) {
    unsigned constant = block_size == PINMAC_AES_BLOCK ? 0x87 : 0x1B, carry = 0;
    unsigned top = subkey[0] >> 7;
    for (size_t i = block_size; i-- > 0;) {
        unsigned shifted = (unsigned)subkey[i] << 1 | carry;
        carry = shifted >> 8;
        subkey[i] = (uint8_t)shifted;
    }
    subkey[block_size - 1] = (uint8_t)(subkey[block_size - 1] ^ (constant & (0u - top)));
}

void pinmac_cmac_final(struct pinmac_cmac *cmac, uint8_t *mac) {
    size_t block_size = cmac->cipher.block_size;
    uint8_t subkey[PINMAC_BLOCK_MAX] = {0};
    pinmac_cipher_encrypt(&cmac->cipher, subkey);
    double_subkey(subkey, block_size);
    if (cmac->pending_size < block_size) {
        memset(cmac->pending + cmac->pending_size, 0, block_size - cmac->pending_size);
        cmac->pending[cmac->pending_size] = 0x80;
        double_subkey(subkey, block_size);
    }
    pinmac_xor(cmac->chain, cmac->pending, block_size);
    pinmac_xor(cmac->chain, subkey, block_size);
    pinmac_cipher_encrypt(&cmac->cipher, cmac->chain);
    memcpy(mac, cmac->chain, block_size);
    pinmac_wipe(subkey, sizeof subkey);
    pinmac_wipe(cmac, sizeof *cmac);
}

void pinmac_check_value(struct pinmac_cmac *cmac, enum pinmac_algorithm algorithm, const uint8_t *key,
    size_t size, uint8_t check_value[PINMAC_CHECK_VALUE]) {
    uint8_t block[PINMAC_BLOCK_MAX] = {0};
    pinmac_cmac_init(cmac, algorithm, key, size);
    if (algorithm == PINMAC_AES) {
        pinmac_cmac_update(cmac, block, sizeof block);
        pinmac_cmac_final(cmac, block);
    } else {
        pinmac_cipher_encrypt(&cmac->cipher, block);
        pinmac_wipe(cmac, sizeof *cmac);
    }
    memcpy(check_value, block, PINMAC_CHECK_VALUE);
    pinmac_wipe(block, sizeof block);
}
