// Data under data keys, tracks, recovery of signed data, and random bytes.
#include <string.h>

#include "../pinmac_port.h"
#include "dukpt.h"
#include "pinmac.h"
#include "ring.h"
#include "rsa.h"
#include "secure.h"
#include "work.h"

static enum pinmac_result start(unsigned slot, const char *modes, enum pinmac_dukpt_purpose purpose) {
    const struct pinmac_key *key;
    enum pinmac_result result = pinmac_purpose_key(slot, "D0", modes, purpose, &key);
    if (result == PINMAC_OK) {
        pinmac_cipher_init(
            &pinmac_work.keys.cipher, (enum pinmac_algorithm)key->algorithm, key->value, key->size);
    }
    return result;
}

static enum pinmac_result check_blocks(size_t iv_size, size_t size) {
    const struct pinmac_cipher *cipher = &pinmac_work.keys.cipher;
    if (cipher->algorithm == PINMAC_DES) {
        return PINMAC_WRONG_ALGORITHM;
    }
    bool blocks = iv_size == cipher->block_size && size > 0 && size % cipher->block_size == 0;
    return blocks ? PINMAC_OK : PINMAC_BAD_SIZE;
}

enum pinmac_result pinmac_encrypt(
    unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size) {
    uint8_t chain[PINMAC_BLOCK_MAX];
    enum pinmac_result result = start(slot, "BEN", PINMAC_DUKPT_DATA);
    if (result == PINMAC_OK) {
        result = check_blocks(iv_size, size);
    }
    if (result == PINMAC_OK) {
        memcpy(chain, iv, iv_size);
        pinmac_cbc_encrypt(&pinmac_work.keys.cipher, chain, data, size);
    }
    return pinmac_work_end(result);
}

enum pinmac_result pinmac_decrypt(
    unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size) {
    uint8_t chain[PINMAC_BLOCK_MAX];
    enum pinmac_result result = start(slot, "BDN", PINMAC_DUKPT_DATA_RESPONSE);
    if (result == PINMAC_OK) {
        result = check_blocks(iv_size, size);
    }
    if (result == PINMAC_OK) {
        memcpy(chain, iv, iv_size);
        pinmac_cbc_decrypt(&pinmac_work.keys.cipher, chain, data, size);
    }
    return pinmac_work_end(result);
}

// A digit, or D for the separator; -1 for anything else.
static int track_nibble(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c == '=' || c == 'D' ? 0xD : -1;
}

static bool pack(const char *track, size_t length, uint8_t *packed) {
    memset(packed, 0, (length + 1) / 2);
    for (size_t i = 0; i < length; i++) {
        int nibble = track_nibble(track[i]);
        if (nibble < 0) {
            return false;
        }
        packed[i / 2] = (uint8_t)(packed[i / 2] | nibble << (i % 2 == 0 ? 4 : 0));
    }
    return true;
}

enum pinmac_result pinmac_encrypt_track(unsigned slot, const char *track, size_t length, uint8_t *packed) {
    enum pinmac_result result = start(slot, "BEN", PINMAC_DUKPT_DATA);
    if (result == PINMAC_OK && pinmac_work.keys.cipher.block_size != PINMAC_DES_BLOCK) {
        result = PINMAC_WRONG_ALGORITHM;
    }
    if (result == PINMAC_OK &&
        (length < PINMAC_TRACK_MIN || length > PINMAC_TRACK_MAX || !pack(track, length, packed))) {
        result = PINMAC_BAD_TRACK;
    }
    if (result == PINMAC_OK) {
        pinmac_cipher_encrypt(&pinmac_work.keys.cipher, packed + (length + 1) / 2 - 1 - PINMAC_DES_BLOCK);
    }
    return pinmac_work_end(result);
}

enum pinmac_result pinmac_rsa_recover(
    const uint8_t *modulus, size_t modulus_size, uint32_t exponent, uint8_t *data, size_t size) {
    if (exponent != 3 && exponent != 65537) {
        return PINMAC_BAD_EXPONENT;
    }
    if (size != modulus_size) {
        return PINMAC_BAD_SIZE;
    }
    bool done = pinmac_rsa_public(&pinmac_work.rsa, modulus, size, exponent, data);
    return pinmac_work_end(done ? PINMAC_OK : PINMAC_BAD_MODULUS);
}

enum pinmac_result pinmac_random(uint8_t *bytes, size_t size) {
    return pinmac_port_random(bytes, size) ? PINMAC_OK : PINMAC_NO_ENTROPY;
}
