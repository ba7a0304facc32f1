// The key slots: what a slot may hold, and the calls that ask or empty them.
#include "ring.h"

#include <string.h>

#include "device.h"
#include "dukpt.h"
#include "secure.h"
#include "work.h"

static struct {
    uint8_t state; // enum pinmac_slot_state
    struct pinmac_key key;
} ring[PINMAC_SLOTS];

enum { DES = 1 << PINMAC_DES, TDES = 1 << PINMAC_TDES, AES = 1 << PINMAC_AES, SM4 = 1 << PINMAC_SM4 };

// What a key of each usage may be. Modes of use are those of X9.143 table 4: B both ways, C generate
// and verify, D decipher, E encipher, G generate, N any, V verify, X derive. A key gets the mode of
// the way it came, where '-' is no way; a key block brings one of `block_modes`.
static const struct rule {
    char usage[2];
    uint8_t algorithms;
    char modes[3];
    char block_modes[4];
} rules[] = {
    {{'K', '0'}, TDES | AES | SM4, {'D', '-', '-'}, {'B', 'D', 'E', 'N'}},
    {{'K', '1'}, TDES | AES, {'B', '-', '-'}, {'B', 'D', 'E', 'N'}},
    {{'P', '0'}, TDES | AES | SM4, {'-', 'E', 'E'}, {'B', 'E', 'E', 'N'}},
    {{'M', '0'}, DES | TDES | SM4, {'-', 'C', 'C'}, {'C', 'G', 'V', 'N'}},
    {{'M', '1'}, DES | TDES, {'-', 'C', 'C'}, {'C', 'G', 'V', 'N'}},
    {{'M', '3'}, TDES, {'-', 'C', 'C'}, {'C', 'G', 'V', 'N'}},
    {{'M', '6'}, TDES | AES, {'-', 'C', 'C'}, {'C', 'G', 'V', 'N'}},
    {{'D', '0'}, DES | TDES | AES | SM4, {'-', 'E', 'B'}, {'B', 'D', 'E', 'N'}},
    {{'B', '1'}, TDES | AES, {'-', '-', '-'}, {'X', 'X', 'X', 'N'}},
};
enum { RULES = sizeof rules / sizeof rules[0] };

static const struct rule *find_rule(const char usage[2]) {
    for (size_t i = 0; i < RULES; i++) {
        if (memcmp(rules[i].usage, usage, 2) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

enum pinmac_result pinmac_ring_usage(const char usage[2], enum pinmac_origin origin) {
    struct pinmac_key *incoming = &pinmac_work.keys.incoming;
    const struct rule *rule = find_rule(usage);
    if (rule == NULL) {
        return origin == PINMAC_BY_BLOCK ? PINMAC_WRONG_USAGE : PINMAC_BAD_USAGE;
    }
    if (origin == PINMAC_BY_BLOCK) {
        bool fits = memchr(rule->block_modes, incoming->mode, sizeof rule->block_modes) != NULL;
        return fits ? PINMAC_OK : PINMAC_WRONG_MODE;
    }
    if (rule->modes[origin] == '-') {
        return PINMAC_WRONG_USAGE;
    }
    memcpy(incoming->usage, usage, 2);
    memcpy(incoming->version, "00", 2);
    incoming->mode = rule->modes[origin];
    incoming->exportability = origin == PINMAC_BY_GENERATE ? 'E' : 'N';
    return PINMAC_OK;
}

enum pinmac_result pinmac_ring_describe(enum pinmac_origin origin, unsigned algorithm, size_t size) {
    struct pinmac_key *incoming = &pinmac_work.keys.incoming;
    const struct rule *rule = find_rule(incoming->usage);
    if (algorithm > PINMAC_SM4 || (rule->algorithms >> algorithm & 1) == 0) {
        return origin == PINMAC_BY_COMPONENTS || origin == PINMAC_BY_GENERATE ? PINMAC_BAD_ALGORITHM
                                                                              : PINMAC_WRONG_ALGORITHM;
    }
    // ISO 9797-1 algorithm 3 has two keys.
    bool retail = incoming->usage[0] == 'M' && incoming->usage[1] == '3';
    if (!pinmac_key_size_ok((enum pinmac_algorithm)algorithm, size) || (retail && size != 16)) {
        return PINMAC_BAD_SIZE;
    }
    incoming->algorithm = (uint8_t)algorithm;
    incoming->size = (uint8_t)size;
    return PINMAC_OK;
}

enum pinmac_slot_state pinmac_ring_state(unsigned slot) {
    return (enum pinmac_slot_state)ring[slot].state;
}

const struct pinmac_key *pinmac_ring_peek(unsigned slot) {
    return &ring[slot].key;
}

enum pinmac_result pinmac_ring_free(unsigned slot) {
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    bool key_encrypting = ring[slot].state != PINMAC_SLOT_FREE && ring[slot].key.usage[0] == 'K';
    return key_encrypting ? PINMAC_SLOT_TAKEN : PINMAC_OK;
}

enum pinmac_result pinmac_ring_key(
    unsigned slot, const char *usage, const char *modes, const struct pinmac_key **key) {
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    if (ring[slot].state != PINMAC_SLOT_FULL) {
        return ring[slot].state == PINMAC_SLOT_FREE ? PINMAC_SLOT_EMPTY : PINMAC_KEY_INCOMPLETE;
    }
    *key = &ring[slot].key;
    if (usage != NULL && memcmp((*key)->usage, usage, 2) != 0) {
        return PINMAC_WRONG_USAGE;
    }
    return modes == NULL || strchr(modes, (*key)->mode) != NULL ? PINMAC_OK : PINMAC_WRONG_MODE;
}

void pinmac_ring_check_value(const struct pinmac_key *key, uint8_t *kcv, size_t size) {
    uint8_t full[PINMAC_CHECK_VALUE];
    pinmac_check_value(
        &pinmac_work.keys.cmac, (enum pinmac_algorithm)key->algorithm, key->value, key->size, full);
    PINMAC_DECLASSIFY(full);
    memcpy(kcv, full, size);
}

void pinmac_ring_install(unsigned slot, enum pinmac_slot_state state) {
    pinmac_mac_forget(slot);
    pinmac_dukpt_forget(slot);
    ring[slot].key = pinmac_work.keys.incoming;
    ring[slot].state = (uint8_t)state;
}

enum pinmac_result pinmac_kcv(unsigned slot, uint8_t kcv[PINMAC_KCV]) {
    const struct pinmac_key *key;
    enum pinmac_result result = pinmac_ring_key(slot, NULL, NULL, &key);
    if (result == PINMAC_OK && pinmac_dukpt_in(slot)) {
        memcpy(kcv, key->value, PINMAC_KCV);
    } else if (result == PINMAC_OK) {
        pinmac_ring_check_value(key, kcv, PINMAC_KCV);
    }
    return pinmac_work_end(result);
}

enum pinmac_result pinmac_info(unsigned slot, struct pinmac_info *info) {
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    const struct pinmac_key *key = &ring[slot].key;
    info->empty = ring[slot].state == PINMAC_SLOT_FREE;
    info->complete = ring[slot].state == PINMAC_SLOT_FULL;
    memcpy(info->usage, key->usage, 2);
    memcpy(info->version, key->version, 2);
    info->mode = key->mode;
    info->exportability = key->exportability;
    info->algorithm = (enum pinmac_algorithm)key->algorithm;
    info->size = key->size;
    return PINMAC_OK;
}

enum pinmac_result pinmac_erase(unsigned slot) {
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    pinmac_mac_forget(slot);
    pinmac_dukpt_forget(slot);
    pinmac_wipe(&ring[slot], sizeof ring[slot]);
    return PINMAC_OK;
}

enum pinmac_result pinmac_zeroize(void) {
    pinmac_pin_cancel();
    for (unsigned slot = 0; slot < PINMAC_SLOTS; slot++) {
        pinmac_erase(slot);
    }
    return pinmac_work_end(pinmac_device_destroy());
}
