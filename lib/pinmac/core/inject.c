// Keys from outside that are not key blocks: clear components in the workshop, working keys in ECB.
#include <string.h>

#include "../pinmac_port.h"
#include "binding.h"
#include "device.h"
#include "pinmac.h"
#include "ring.h"
#include "secure.h"
#include "work.h"

static enum pinmac_result check_component(unsigned slot, const char usage[2], unsigned algorithm, size_t size) {
    const struct pinmac_device *device;
    struct pinmac_policy policy;
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    enum pinmac_result result = pinmac_ring_usage(usage, PINMAC_BY_COMPONENTS);
    if (result == PINMAC_OK) {
        result = pinmac_ring_describe(PINMAC_BY_COMPONENTS, algorithm, size);
    }
    if (result == PINMAC_OK && pinmac_ring_state(slot) == PINMAC_SLOT_FULL) {
        result = PINMAC_SLOT_TAKEN;
    }
    if (result == PINMAC_OK) {
        result = pinmac_device_create(&device);
    }
    pinmac_port_policy(&policy);
    if (result == PINMAC_OK && policy.components_only_fresh && !device->created_now) {
        result = PINMAC_COMPONENTS_CLOSED;
    }
    return result;
}

static enum pinmac_result second_component(unsigned slot, uint8_t kcv[PINMAC_KCV]) {
    static const uint8_t zeros[PINMAC_KEY_MAX];
    struct pinmac_key *incoming = &pinmac_work.keys.incoming;
    const struct pinmac_key *first = pinmac_ring_peek(slot);
    if (memcmp(first->usage, incoming->usage, 2) != 0) {
        return PINMAC_WRONG_USAGE;
    }
    if (first->algorithm != incoming->algorithm || first->size != incoming->size) {
        return PINMAC_BAD_SIZE;
    }
    pinmac_xor(incoming->value, first->value, incoming->size);
    if (pinmac_equal(incoming->value, zeros, incoming->size)) {
        return PINMAC_BAD_COMPONENTS;
    }
    pinmac_ring_check_value(incoming, kcv, PINMAC_KCV);
    pinmac_ring_install(slot, PINMAC_SLOT_FULL);
    return PINMAC_OK;
}

enum pinmac_result pinmac_load_component(unsigned slot, const char usage[2], unsigned algorithm,
    uint8_t *part, size_t size, bool *complete, uint8_t kcv[PINMAC_KCV]) {
    *complete = false;
    enum pinmac_result result = check_component(slot, usage, algorithm, size);
    if (result == PINMAC_OK) {
        memcpy(pinmac_work.keys.incoming.value, part, size);
        if (pinmac_ring_state(slot) == PINMAC_SLOT_FREE) {
            pinmac_ring_install(slot, PINMAC_SLOT_HALF);
        } else {
            result = second_component(slot, kcv);
            *complete = result == PINMAC_OK;
        }
    }
    pinmac_wipe(part, size);
    return pinmac_work_end(result);
}

// The algorithm follows the master's; a double-length field whose second half is zero carries a
// single-length key.
static enum pinmac_result describe_working(
    const struct pinmac_key *master, const uint8_t *cryptogram, size_t *size) {
    static const uint8_t zeros[PINMAC_DES_BLOCK];
    unsigned algorithm = master->algorithm;
    if (algorithm == PINMAC_TDES) {
        if (*size == 16 && memcmp(cryptogram + 8, zeros, sizeof zeros) == 0) {
            *size = 8;
        }
        algorithm = *size == 8 ? PINMAC_DES : PINMAC_TDES;
    }
    if (algorithm == PINMAC_AES && *size == 24) {
        return PINMAC_BAD_SIZE; // no whole number of blocks
    }
    return pinmac_ring_describe(PINMAC_BY_WORKING, algorithm, *size);
}

static void decipher(const struct pinmac_key *master, const uint8_t *cryptogram, size_t size) {
    struct pinmac_cipher *cipher = &pinmac_work.keys.cipher;
    uint8_t *value = pinmac_work.keys.incoming.value;
    memcpy(value, cryptogram, size);
    pinmac_cipher_init(cipher, (enum pinmac_algorithm)master->algorithm, master->value, master->size);
    for (size_t at = 0; at < size; at += cipher->block_size) {
        pinmac_cipher_decrypt(cipher, value + at);
    }
}

static enum pinmac_result check_working(const char usage[2], unsigned slot, unsigned master_slot,
    const struct pinmac_key **master, const struct pinmac_device **device) {
    enum pinmac_result result = pinmac_ring_usage(usage, PINMAC_BY_WORKING);
    if (result == PINMAC_OK) {
        result = slot == master_slot ? PINMAC_SAME_SLOT : pinmac_ring_free(slot);
    }
    if (result == PINMAC_OK) {
        result = pinmac_ring_key(master_slot, "K0", "BDN", master);
    }
    return result == PINMAC_OK ? pinmac_device_open(device) : result;
}

enum pinmac_result pinmac_load_working(unsigned slot, const char usage[2], const uint8_t *cryptogram,
    size_t size, unsigned master_slot, const uint8_t *kcv, size_t kcv_size) {
    const struct pinmac_device *device;
    const struct pinmac_key *master;
    uint8_t expected[PINMAC_WORKING_KCV];
    enum pinmac_result result = check_working(usage, slot, master_slot, &master, &device);
    if (result == PINMAC_OK) {
        result = kcv_size == sizeof expected ? describe_working(master, cryptogram, &size) : PINMAC_BAD_SIZE;
    }
    if (result == PINMAC_OK) {
        decipher(master, cryptogram, size);
        pinmac_ring_check_value(&pinmac_work.keys.incoming, expected, sizeof expected);
        result = pinmac_equal(expected, kcv, sizeof expected) ? PINMAC_OK : PINMAC_BAD_CHECK_VALUE;
    }
    if (result == PINMAC_OK) {
        result = pinmac_bind(device, master, cryptogram, size, usage);
    }
    if (result == PINMAC_OK) {
        pinmac_ring_install(slot, PINMAC_SLOT_FULL);
    }
    return pinmac_work_end(result);
}
