// The binding log: records of 16 bytes, fingerprint 8 ‖ usage 2 ‖ tag 6, chained by their tags.
//
// The fingerprint is a CMAC over master key and cipher block, the tag a CMAC over the record before
// and this one; so a record can be neither made, changed nor taken out of the middle without the
// device's key. A power cut can leave a torn record behind, which the chain passes over: the key was
// not loaded yet, so nothing is lost. The port's counter follows the number of records, so a log whose
// end was cut off is refused.
#include "binding.h"

#include <string.h>

#include "../pinmac_port.h"
#include "secure.h"
#include "work.h"

enum { FINGERPRINT = 8, USAGE = 2, TAGGED = FINGERPRINT + USAGE, TAG = PINMAC_BINDING - TAGGED };
enum { BLOCKS_MAX = 4, TORN_MAX = 4 };

struct walk {
    uint32_t next;    // where the next record goes
    uint32_t records; // how many hold
    uint8_t last[PINMAC_BINDING];
    bool bound[BLOCKS_MAX];
};

static uint8_t fingerprints[BLOCKS_MAX][FINGERPRINT];

static void cmac(const struct pinmac_device *device, char domain, const uint8_t *first, size_t first_size,
    const uint8_t *second, size_t second_size, uint8_t out[PINMAC_AES_BLOCK]) {
    struct pinmac_cmac *state = &pinmac_work.keys.cmac;
    pinmac_cmac_init(state, PINMAC_AES, device->binding_key, PINMAC_DEVICE_KEY);
    pinmac_cmac_update(state, (const uint8_t *)&domain, 1);
    pinmac_cmac_update(state, first, first_size);
    pinmac_cmac_update(state, second, second_size);
    pinmac_cmac_final(state, out);
}

static void tag(const struct pinmac_device *device, const uint8_t *last, const uint8_t *record, uint8_t *out) {
    uint8_t full[PINMAC_AES_BLOCK];
    cmac(device, 'T', last, PINMAC_BINDING, record, TAGGED, full);
    memcpy(out, full, TAG);
}

// Follow the chain to its end, noting which fingerprints it holds.
static enum pinmac_result walk_log(
    const struct pinmac_device *device, size_t blocks, const char usage[2], struct walk *walk) {
    uint8_t record[PINMAC_BINDING], expected[TAG];
    uint32_t counted;
    unsigned torn = 0;
    memset(walk, 0, sizeof *walk);
    for (; pinmac_port_binding_read(walk->next, record); walk->next++) {
        tag(device, walk->last, record, expected);
        if (!pinmac_equal(expected, record + TAGGED, TAG)) {
            if (++torn > TORN_MAX) {
                return PINMAC_BAD_LOG;
            }
            continue;
        }
        torn = 0;
        walk->records++;
        memcpy(walk->last, record, sizeof record);
        for (size_t i = 0; i < blocks; i++) {
            if (memcmp(record, fingerprints[i], FINGERPRINT) == 0) {
                if (memcmp(record + FINGERPRINT, usage, USAGE) != 0) {
                    return PINMAC_BOUND_ELSEWHERE;
                }
                walk->bound[i] = true;
            }
        }
    }
    if (!pinmac_port_counter_read(PINMAC_COUNTER_BINDINGS, &counted)) {
        return PINMAC_NO_STORAGE;
    }
    return walk->records < counted ? PINMAC_BAD_LOG : PINMAC_OK;
}

static bool append(const struct pinmac_device *device, struct walk *walk, size_t block, const char usage[2]) {
    uint8_t record[PINMAC_BINDING];
    memcpy(record, fingerprints[block], FINGERPRINT);
    memcpy(record + FINGERPRINT, usage, USAGE);
    tag(device, walk->last, record, record + TAGGED);
    memcpy(walk->last, record, sizeof record);
    // The counter last: between the two a power cut leaves a record too many, which is no harm.
    return pinmac_port_binding_write(walk->next++, record) &&
        pinmac_port_counter_raise(PINMAC_COUNTER_BINDINGS, ++walk->records);
}

enum pinmac_result pinmac_bind(const struct pinmac_device *device, const struct pinmac_key *master,
    const uint8_t *cryptogram, size_t size, const char usage[2]) {
    size_t block_size = master->algorithm == PINMAC_AES ? PINMAC_AES_BLOCK : PINMAC_DES_BLOCK;
    size_t blocks = size / block_size;
    struct walk walk;
    for (size_t i = 0; i < blocks; i++) {
        uint8_t full[PINMAC_AES_BLOCK];
        cmac(device, 'F', master->value, master->size, cryptogram + i * block_size, block_size, full);
        memcpy(fingerprints[i], full, FINGERPRINT);
        PINMAC_DECLASSIFY(fingerprints[i]);
    }
    enum pinmac_result result = walk_log(device, blocks, usage, &walk);
    for (size_t i = 0; result == PINMAC_OK && i < blocks; i++) {
        if (!walk.bound[i] && !append(device, &walk, i, usage)) {
            result = PINMAC_NO_STORAGE;
        }
    }
    return result;
}
