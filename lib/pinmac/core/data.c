// Data under data keys, tracks, and random bytes.
#include <string.h>

#include "../pinmac_port.h"
#include "pinmac.h"
#include "ring.h"
#include "secure.h"

static struct pinmac_cipher cipher;

static enum pinmac_result start(unsigned slot, const char *modes) {
    const struct pinmac_key *key;
    enum pinmac_result result = pinmac_ring_key(slot, "D0", modes, &key);
    if (result == PINMAC_OK) {
        pinmac_cipher_init(&cipher, key->algorithm, key->value, key->size);
    }
    return result;
}

static enum pinmac_result finish(enum pinmac_result result) {
    pinmac_wipe(&cipher, sizeof cipher);
    pinmac_wipe_stack();
    return result;
}

static enum pinmac_result check_blocks(size_t iv_size, size_t size) {
    if (cipher.algorithm == PINMAC_DES) {
        return PINMAC_WRONG_ALGORITHM;
    }
    bool blocks = iv_size == cipher.block_size && size > 0 && size % cipher.block_size == 0;
    return blocks ? PINMAC_OK : PINMAC_BAD_SIZE;
}

enum pinmac_result pinmac_encrypt(
    unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size) {
    uint8_t chain[PINMAC_BLOCK_MAX];
    enum pinmac_result result = start(slot, "BE");
    if (result != PINMAC_OK) {
        return result;
    }
    result = check_blocks(iv_size, size);
    if (result == PINMAC_OK) {
        memcpy(chain, iv, iv_size);
        pinmac_cbc_encrypt(&cipher, chain, data, size);
    }
    return finish(result);
}

enum pinmac_result pinmac_decrypt(
    unsigned slot, const uint8_t *iv, size_t iv_size, uint8_t *data, size_t size) {
    uint8_t chain[PINMAC_BLOCK_MAX];
    enum pinmac_result result = start(slot, "BD");
    if (result != PINMAC_OK) {
        return result;
    }
    result = check_blocks(iv_size, size);
    if (result == PINMAC_OK) {
        memcpy(chain, iv, iv_size);
        pinmac_cbc_decrypt(&cipher, chain, data, size);
    }
    return finish(result);
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
    enum pinmac_result result = start(slot, "BE");
    if (result != PINMAC_OK) {
        return result;
    }
    if (cipher.block_size != PINMAC_DES_BLOCK) {
        return finish(PINMAC_WRONG_ALGORITHM);
    }
    if (length < PINMAC_TRACK_MIN || length > PINMAC_TRACK_MAX || !pack(track, length, packed)) {
        return finish(PINMAC_BAD_TRACK);
    }
    pinmac_cipher_encrypt(&cipher, packed + (length + 1) / 2 - 1 - PINMAC_DES_BLOCK);
    return finish(PINMAC_OK);
}

enum pinmac_result pinmac_random(uint8_t *bytes, size_t size) {
    return pinmac_port_random(bytes, size) ? PINMAC_OK : PINMAC_NO_ENTROPY;
}
