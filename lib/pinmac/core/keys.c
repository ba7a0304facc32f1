// The key slots: loading, generating, sealing, erasing.
#include <string.h>

#include "../pinmac_port.h"
#include "binding.h"
#include "device.h"
#include "pinmac.h"
#include "ring.h"
#include "secure.h"

enum state { EMPTY, FIRST_COMPONENT, COMPLETE };

static struct {
    enum state state;
    struct pinmac_key key;
} ring[PINMAC_SLOTS];

// A key on its way into the ring.
static struct pinmac_key incoming;

enum { ANY_DES = 1 << PINMAC_DES, ANY_TDES = 1 << PINMAC_TDES, ANY_AES = 1 << PINMAC_AES };
enum origin { BY_COMPONENTS, BY_WORKING, BY_GENERATE };

// What a usage may be, and the mode of use (X9.143 table 4) it gets from each way in; '-' is no way.
static const struct rule {
    char usage[2];
    unsigned algorithms;
    char mode[3];
} rules[] = {
    {{'K', '0'}, ANY_TDES | ANY_AES, {'D', '-', '-'}},
    {{'K', '1'}, ANY_TDES | ANY_AES, {'B', '-', '-'}},
    {{'P', '0'}, ANY_TDES | ANY_AES, {'-', 'E', 'E'}},
    {{'M', '0'}, ANY_DES | ANY_TDES, {'-', 'C', 'C'}},
    {{'M', '6'}, ANY_TDES | ANY_AES, {'-', 'C', 'C'}},
    {{'D', '0'}, ANY_DES | ANY_TDES | ANY_AES, {'-', 'E', 'B'}},
};

static enum pinmac_result find_rule(const char usage[2], enum origin origin, const struct rule **rule) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (memcmp(rules[i].usage, usage, 2) == 0) {
            *rule = &rules[i];
            return rules[i].mode[origin] == '-' ? PINMAC_WRONG_USAGE : PINMAC_OK;
        }
    }
    return PINMAC_BAD_USAGE;
}

// May a key come into this slot? A key-encrypting key is not overwritten in passing.
static enum pinmac_result check_target(unsigned slot) {
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    bool key_encrypting = ring[slot].state != EMPTY && ring[slot].key.usage[0] == 'K';
    return key_encrypting ? PINMAC_SLOT_TAKEN : PINMAC_OK;
}

static void describe(const struct rule *rule, enum origin origin, enum pinmac_algorithm algorithm, size_t size) {
    memcpy(incoming.usage, rule->usage, 2);
    incoming.mode = rule->mode[origin];
    incoming.exportability = origin == BY_GENERATE ? 'E' : 'N';
    incoming.algorithm = algorithm;
    incoming.size = size;
}

static void first_bytes_of_check_value(const struct pinmac_key *key, uint8_t *kcv, size_t size) {
    uint8_t full[PINMAC_CHECK_VALUE];
    pinmac_check_value(key->algorithm, key->value, key->size, full);
    PINMAC_DECLASSIFY(full);
    memcpy(kcv, full, size);
}

static void install(unsigned slot, enum state state) {
    pinmac_mac_forget(slot);
    ring[slot].key = incoming;
    ring[slot].state = state;
}

// The end of every call that had a key in its hands.
static enum pinmac_result clean(enum pinmac_result result) {
    pinmac_wipe(&incoming, sizeof incoming);
    pinmac_wipe_stack();
    return result;
}

enum pinmac_result pinmac_ring_key(
    unsigned slot, const char *usage, const char *modes, const struct pinmac_key **key) {
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    if (ring[slot].state != COMPLETE) {
        return ring[slot].state == EMPTY ? PINMAC_SLOT_EMPTY : PINMAC_KEY_INCOMPLETE;
    }
    *key = &ring[slot].key;
    if (usage != NULL && memcmp((*key)->usage, usage, 2) != 0) {
        return PINMAC_WRONG_USAGE;
    }
    return modes == NULL || strchr(modes, (*key)->mode) != NULL ? PINMAC_OK : PINMAC_WRONG_MODE;
}

static enum pinmac_result check_component(unsigned slot, const char usage[2], unsigned algorithm, size_t size) {
    const struct pinmac_device *device;
    const struct rule *rule;
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    enum pinmac_result result = find_rule(usage, BY_COMPONENTS, &rule);
    if (result != PINMAC_OK) {
        return result;
    }
    if (algorithm > PINMAC_AES || (rule->algorithms >> algorithm & 1) == 0) {
        return PINMAC_BAD_ALGORITHM;
    }
    if (!pinmac_key_size_ok((enum pinmac_algorithm)algorithm, size)) {
        return PINMAC_BAD_SIZE;
    }
    if (ring[slot].state == COMPLETE) {
        return PINMAC_SLOT_TAKEN;
    }
    result = pinmac_device_create(&device);
    struct pinmac_policy policy;
    pinmac_port_policy(&policy);
    if (result == PINMAC_OK && policy.components_only_fresh && !device->created_now) {
        return PINMAC_COMPONENTS_CLOSED;
    }
    describe(rule, BY_COMPONENTS, (enum pinmac_algorithm)algorithm, size);
    return result;
}

static enum pinmac_result second_component(unsigned slot, uint8_t kcv[PINMAC_KCV]) {
    static const uint8_t zeros[PINMAC_KEY_MAX];
    const struct pinmac_key *first = &ring[slot].key;
    if (memcmp(first->usage, incoming.usage, 2) != 0) {
        return PINMAC_WRONG_USAGE;
    }
    if (first->algorithm != incoming.algorithm || first->size != incoming.size) {
        return PINMAC_BAD_SIZE;
    }
    pinmac_xor(incoming.value, first->value, incoming.size);
    if (pinmac_equal(incoming.value, zeros, incoming.size)) {
        return PINMAC_BAD_COMPONENTS;
    }
    first_bytes_of_check_value(&incoming, kcv, PINMAC_KCV);
    install(slot, COMPLETE);
    return PINMAC_OK;
}

enum pinmac_result pinmac_load_component(unsigned slot, const char usage[2], unsigned algorithm,
    uint8_t *part, size_t size, bool *complete, uint8_t kcv[PINMAC_KCV]) {
    *complete = false;
    enum pinmac_result result = check_component(slot, usage, algorithm, size);
    if (result == PINMAC_OK) {
        memcpy(incoming.value, part, size);
        if (ring[slot].state == EMPTY) {
            install(slot, FIRST_COMPONENT);
        } else {
            result = second_component(slot, kcv);
            *complete = result == PINMAC_OK;
        }
    }
    pinmac_wipe(part, size);
    return clean(result);
}

// Decipher a working key into `incoming`. The algorithm follows the master's; a double-length field
// whose second half is zero carries a single-length key.
static enum pinmac_result decipher(
    const struct pinmac_key *master, const struct rule *rule, const uint8_t *cryptogram, size_t *size) {
    static struct pinmac_cipher cipher;
    static const uint8_t zeros[PINMAC_DES_BLOCK];
    enum pinmac_algorithm algorithm = master->algorithm;
    if (algorithm == PINMAC_TDES) {
        if (*size == 16 && memcmp(cryptogram + 8, zeros, sizeof zeros) == 0) {
            *size = 8;
        }
        algorithm = *size == 8 ? PINMAC_DES : PINMAC_TDES;
    }
    if (!pinmac_key_size_ok(algorithm, *size) || (algorithm == PINMAC_AES && *size == 24)) {
        return PINMAC_BAD_SIZE;
    }
    if ((rule->algorithms >> algorithm & 1) == 0) {
        return PINMAC_WRONG_ALGORITHM;
    }
    describe(rule, BY_WORKING, algorithm, *size);
    memcpy(incoming.value, cryptogram, *size);
    pinmac_cipher_init(&cipher, master->algorithm, master->value, master->size);
    for (size_t at = 0; at < *size; at += cipher.block_size) {
        pinmac_cipher_decrypt(&cipher, incoming.value + at);
    }
    pinmac_wipe(&cipher, sizeof cipher);
    return PINMAC_OK;
}

enum pinmac_result pinmac_load_working(unsigned slot, const char usage[2], const uint8_t *cryptogram,
    size_t size, unsigned master_slot, const uint8_t *kcv, size_t kcv_size) {
    const struct pinmac_device *device;
    const struct pinmac_key *master;
    const struct rule *rule;
    uint8_t expected[PINMAC_WORKING_KCV];
    enum pinmac_result result = find_rule(usage, BY_WORKING, &rule);
    if (result == PINMAC_OK) {
        result = slot == master_slot ? PINMAC_SAME_SLOT : check_target(slot);
    }
    if (result == PINMAC_OK) {
        result = pinmac_ring_key(master_slot, "K0", "D", &master);
    }
    if (result == PINMAC_OK) {
        result = pinmac_device_open(&device);
    }
    if (result != PINMAC_OK) {
        return result;
    }
    if (kcv_size != sizeof expected) {
        return PINMAC_BAD_SIZE;
    }
    result = decipher(master, rule, cryptogram, &size);
    if (result == PINMAC_OK) {
        first_bytes_of_check_value(&incoming, expected, sizeof expected);
        result = pinmac_equal(expected, kcv, sizeof expected) ? PINMAC_OK : PINMAC_BAD_CHECK_VALUE;
    }
    if (result == PINMAC_OK) {
        result = pinmac_bind(device, master, cryptogram, size, usage);
    }
    if (result == PINMAC_OK) {
        install(slot, COMPLETE);
    }
    return clean(result);
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

enum pinmac_result pinmac_generate(
    unsigned slot, const char usage[2], unsigned algorithm, uint8_t kcv[PINMAC_KCV]) {
    const struct pinmac_device *device;
    const struct rule *rule;
    enum pinmac_result result = find_rule(usage, BY_GENERATE, &rule);
    if (result == PINMAC_OK) {
        result = check_target(slot);
    }
    if (result == PINMAC_OK && ((algorithm != PINMAC_TDES && algorithm != PINMAC_AES) ||
            (rule->algorithms >> algorithm & 1) == 0)) {
        result = PINMAC_BAD_ALGORITHM;
    }
    if (result == PINMAC_OK) {
        result = pinmac_device_create(&device);
    }
    if (result != PINMAC_OK) {
        return result;
    }
    describe(rule, BY_GENERATE, (enum pinmac_algorithm)algorithm, algorithm == PINMAC_AES ? 32 : 24);
    if (!pinmac_port_random(incoming.value, incoming.size)) {
        return clean(PINMAC_NO_ENTROPY);
    }
    if (algorithm == PINMAC_TDES) {
        set_odd_parity(incoming.value, incoming.size);
    }
    first_bytes_of_check_value(&incoming, kcv, PINMAC_KCV);
    install(slot, COMPLETE);
    return clean(PINMAC_OK);
}

enum pinmac_result pinmac_kcv(unsigned slot, uint8_t kcv[PINMAC_KCV]) {
    const struct pinmac_key *key;
    enum pinmac_result result = pinmac_ring_key(slot, NULL, NULL, &key);
    if (result == PINMAC_OK) {
        first_bytes_of_check_value(key, kcv, PINMAC_KCV);
    }
    return result;
}

enum pinmac_result pinmac_info(unsigned slot, struct pinmac_info *info) {
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    const struct pinmac_key *key = &ring[slot].key;
    info->empty = ring[slot].state == EMPTY;
    info->complete = ring[slot].state == COMPLETE;
    memcpy(info->usage, key->usage, 2);
    info->mode = key->mode;
    info->exportability = key->exportability;
    info->algorithm = key->algorithm;
    info->size = key->size;
    return PINMAC_OK;
}

enum pinmac_result pinmac_erase(unsigned slot) {
    if (slot >= PINMAC_SLOTS) {
        return PINMAC_BAD_SLOT;
    }
    pinmac_mac_forget(slot);
    pinmac_wipe(&ring[slot], sizeof ring[slot]);
    return PINMAC_OK;
}

enum pinmac_result pinmac_zeroize(void) {
    pinmac_pin_cancel();
    for (unsigned slot = 0; slot < PINMAC_SLOTS; slot++) {
        pinmac_erase(slot);
    }
    return clean(pinmac_device_destroy());
}

enum pinmac_result pinmac_seal(unsigned slot, char *block, size_t *size) {
    const struct pinmac_device *device;
    const struct pinmac_key *key;
    uint8_t padding[PINMAC_TR31_DATA_MAX];
    enum pinmac_result result = pinmac_ring_key(slot, NULL, NULL, &key);
    if (result == PINMAC_OK) {
        result = pinmac_device_open(&device);
    }
    if (result != PINMAC_OK) {
        return result;
    }
    if (!pinmac_port_random(padding, sizeof padding)) {
        return PINMAC_NO_ENTROPY;
    }
    *size = pinmac_tr31_wrap(device->sealing_key, key, padding, block);
    return clean(PINMAC_OK);
}

enum pinmac_result pinmac_unseal(unsigned slot, const char *block, size_t size, uint8_t kcv[PINMAC_KCV]) {
    const struct pinmac_device *device;
    enum pinmac_result result = check_target(slot);
    if (result == PINMAC_OK) {
        result = pinmac_device_open(&device);
    }
    if (result != PINMAC_OK) {
        return result;
    }
    if (!pinmac_tr31_unwrap(device->sealing_key, block, size, &incoming)) {
        return clean(PINMAC_BAD_BLOCK);
    }
    first_bytes_of_check_value(&incoming, kcv, PINMAC_KCV);
    install(slot, COMPLETE);
    return clean(PINMAC_OK);
}
