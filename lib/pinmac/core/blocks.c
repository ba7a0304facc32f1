// Keys as TR-31 blocks: import and export under a key block protection key, sealing under the
// device's own; and keys made here.
#include <string.h>

#include "../pinmac_port.h"
#include "device.h"
#include "dukpt.h"
#include "pinmac.h"
#include "ring.h"
#include "secure.h"
#include "work.h"

// The incoming key takes the slot.
static void take(unsigned slot, uint8_t kcv[PINMAC_KCV]) {
    pinmac_ring_check_value(&pinmac_work.keys.incoming, kcv, PINMAC_KCV);
    pinmac_ring_install(slot, PINMAC_SLOT_FULL);
}

// The header terms of a block's key, which is in the work area, against what its usage may be.
static enum pinmac_result judge_block(bool dukpt) {
    struct pinmac_key *incoming = &pinmac_work.keys.incoming;
    if ((memcmp(incoming->usage, "B1", 2) == 0) != dukpt) {
        return PINMAC_WRONG_USAGE;
    }
    enum pinmac_result result = pinmac_ring_usage(incoming->usage, PINMAC_BY_BLOCK);
    return result == PINMAC_OK ? pinmac_ring_describe(PINMAC_BY_BLOCK, incoming->algorithm, incoming->size) : result;
}

enum pinmac_result pinmac_open_block(
    unsigned slot, const char *block, size_t size, unsigned kbpk_slot, bool dukpt) {
    const struct pinmac_key *kbpk;
    enum pinmac_result result = slot == kbpk_slot ? PINMAC_SAME_SLOT : pinmac_ring_free(slot);
    if (result == PINMAC_OK) {
        result = pinmac_ring_key(kbpk_slot, "K1", "BDN", &kbpk);
    }
    if (result == PINMAC_OK && !pinmac_tr31_unwrap(kbpk, block, size, &pinmac_work.keys.incoming)) {
        result = PINMAC_BAD_BLOCK;
    }
    return result == PINMAC_OK ? judge_block(dukpt) : result;
}

enum pinmac_result pinmac_load_block(
    unsigned slot, const char *block, size_t size, unsigned kbpk_slot, uint8_t kcv[PINMAC_KCV]) {
    enum pinmac_result result = pinmac_open_block(slot, block, size, kbpk_slot, false);
    if (result == PINMAC_OK) {
        take(slot, kcv);
    }
    return pinmac_work_end(result);
}

static enum pinmac_result wrap(
    const struct pinmac_key *protection, const struct pinmac_key *key, char *block, size_t *size) {
    uint8_t padding[PINMAC_TR31_DATA_MAX];
    if (!pinmac_port_random(padding, sizeof padding)) {
        return PINMAC_NO_ENTROPY;
    }
    *size = pinmac_tr31_wrap(protection, key, padding, block);
    pinmac_wipe(padding, sizeof padding);
    return PINMAC_OK;
}

enum pinmac_result pinmac_export_block(unsigned slot, unsigned kbpk_slot, char *block, size_t *size) {
    const struct pinmac_key *key, *kbpk;
    enum pinmac_result result = pinmac_ring_key(slot, NULL, NULL, &key);
    if (result == PINMAC_OK) {
        result = slot == kbpk_slot ? PINMAC_SAME_SLOT : pinmac_ring_key(kbpk_slot, "K1", "BEN", &kbpk);
    }
    // Version D is AES's; X9.143 has no letter for SM4.
    if (result == PINMAC_OK && (kbpk->algorithm != PINMAC_AES || key->algorithm == PINMAC_SM4)) {
        result = PINMAC_WRONG_ALGORITHM;
    }
    if (result == PINMAC_OK && (key->exportability == 'N' || pinmac_dukpt_in(slot))) {
        result = PINMAC_NOT_EXPORTABLE;
    }
    return pinmac_work_end(result == PINMAC_OK ? wrap(kbpk, key, block, size) : result);
}

// FIPS 46-3: the last bit of each byte makes the number of ones odd.
static void set_odd_parity(uint8_t *key, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned folded = key[i] >> 4 ^ key[i];
        folded ^= folded >> 2;
        folded ^= folded >> 1;
        key[i] = (uint8_t)(key[i] ^ (~folded & 1));
    }
}

// The longest key of an algorithm, but two keys for ISO 9797-1 algorithm 3.
static size_t generated_size(const char usage[2], unsigned algorithm) {
    if (algorithm == PINMAC_AES) {
        return 32;
    }
    return algorithm == PINMAC_SM4 || memcmp(usage, "M3", 2) == 0 ? 16 : 24;
}

enum pinmac_result pinmac_generate(
    unsigned slot, const char usage[2], unsigned algorithm, uint8_t kcv[PINMAC_KCV]) {
    const struct pinmac_device *device;
    struct pinmac_key *incoming = &pinmac_work.keys.incoming;
    enum pinmac_result result = pinmac_ring_usage(usage, PINMAC_BY_GENERATE);
    if (result == PINMAC_OK) {
        result = pinmac_ring_free(slot);
    }
    if (result == PINMAC_OK) {
        // A single-length DES key is taken from a host, not made.
        result = algorithm == PINMAC_DES
            ? PINMAC_BAD_ALGORITHM
            : pinmac_ring_describe(PINMAC_BY_GENERATE, algorithm, generated_size(usage, algorithm));
    }
    if (result == PINMAC_OK) {
        result = pinmac_device_create(&device);
    }
    if (result == PINMAC_OK && !pinmac_port_random(incoming->value, incoming->size)) {
        result = PINMAC_NO_ENTROPY;
    }
    if (result == PINMAC_OK) {
        if (algorithm == PINMAC_TDES) {
            set_odd_parity(incoming->value, incoming->size);
        }
        take(slot, kcv);
    }
    return pinmac_work_end(result);
}

enum pinmac_result pinmac_seal(unsigned slot, uint8_t *blob, size_t *size) {
    const struct pinmac_device *device;
    const struct pinmac_key *key;
    enum pinmac_result result = pinmac_ring_key(slot, NULL, NULL, &key);
    if (result == PINMAC_OK) {
        result = pinmac_device_open(&device);
    }
    if (result == PINMAC_OK) {
        result = pinmac_dukpt_in(slot) ? pinmac_dukpt_seal(device, slot, blob, size)
                                       : wrap(&device->sealing_key, key, (char *)blob, size);
    }
    return pinmac_work_end(result);
}

enum pinmac_result pinmac_unseal(unsigned slot, const uint8_t *blob, size_t size, uint8_t kcv[PINMAC_KCV]) {
    const struct pinmac_device *device;
    enum pinmac_result result = pinmac_ring_free(slot);
    if (result == PINMAC_OK) {
        result = pinmac_device_open(&device);
    }
    if (result != PINMAC_OK) {
        return pinmac_work_end(result);
    }
    if (pinmac_dukpt_sealed(blob, size)) {
        result = pinmac_dukpt_unseal(device, slot, blob, size, kcv);
    } else if (pinmac_tr31_unwrap(&device->sealing_key, (const char *)blob, size, &pinmac_work.keys.incoming)) {
        take(slot, kcv);
    } else {
        result = PINMAC_BAD_BLOCK;
    }
    return pinmac_work_end(result);
}
