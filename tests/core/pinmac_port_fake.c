// A board in memory: see pinmac_port_fake.h.
#include "pinmac_port_fake.h"

#include <string.h>

struct fake_board fake = {
    .stores = {.secret = "the secret of the tests' device!"},
    .switches = {.record_capacity = FAKE_RECORDS, .writes_left = FAKE_UNLIMITED,
        .random_left = FAKE_UNLIMITED, .random_state = 1},
};

size_t fake_board_size(void) {
    return sizeof fake;
}

static bool spend(uint32_t *left) {
    if (*left == 0) {
        return false;
    }
    *left -= *left != FAKE_UNLIMITED;
    return true;
}

bool pinmac_port_secret(uint8_t secret[PINMAC_SECRET]) {
    if (fake.switches.secret_missing) {
        return false;
    }
    memcpy(secret, fake.stores.secret, PINMAC_SECRET);
    return true;
}

bool pinmac_port_salt_read(uint8_t salt[PINMAC_SALT]) {
    memcpy(salt, fake.stores.salt, PINMAC_SALT);
    return fake.stores.salt_there;
}

bool pinmac_port_salt_create(const uint8_t salt[PINMAC_SALT]) {
    if (fake.switches.salt_create_fails || !spend(&fake.switches.writes_left)) {
        return false;
    }
    memcpy(fake.stores.salt, salt, PINMAC_SALT);
    fake.stores.records = 0;
    memset(fake.stores.counter, 0, sizeof fake.stores.counter);
    fake.stores.salt_there = true;
    return true;
}

bool pinmac_port_salt_destroy(void) {
    if (fake.switches.salt_destroy_fails || !spend(&fake.switches.writes_left)) {
        return false;
    }
    memset(fake.stores.salt, 0, PINMAC_SALT);
    fake.stores.salt_there = false;
    return true;
}

bool pinmac_port_binding_read(uint32_t number, uint8_t record[PINMAC_BINDING]) {
    if (number >= fake.stores.records) {
        return false;
    }
    memcpy(record, fake.stores.record[number], PINMAC_BINDING);
    return true;
}

bool pinmac_port_binding_write(uint32_t number, const uint8_t record[PINMAC_BINDING]) {
    if (number >= fake.switches.record_capacity || number >= FAKE_RECORDS ||
        !spend(&fake.switches.writes_left)) {
        return false;
    }
    memcpy(fake.stores.record[number], record, PINMAC_BINDING);
    fake.stores.records = number + 1;
    return true;
}

bool pinmac_port_counter_read(enum pinmac_counter counter, uint32_t *value) {
    *value = fake.stores.counter[counter];
    return !fake.switches.counters_unreadable;
}

bool pinmac_port_counter_raise(enum pinmac_counter counter, uint32_t value) {
    if (fake.switches.counters_stuck || !spend(&fake.switches.writes_left)) {
        return false;
    }
    if (value > fake.stores.counter[counter]) {
        fake.stores.counter[counter] = value;
    }
    return true;
}

static uint8_t live_byte(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint8_t)(z ^ z >> 31);
}

bool pinmac_port_random(uint8_t *bytes, size_t size) {
    if (!spend(&fake.switches.random_left)) {
        return false;
    }
    uint64_t state = fake.switches.random_state;
    uint32_t every = fake.switches.random_biased;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = fake.switches.random_flat && i > 0 ? bytes[0] : live_byte(&state);
        bytes[i] = every != 0 && (i + 1) % every != 0 ? 0xA5 : bytes[i];
        bytes[i] = fake.switches.random_constant ? (uint8_t)fake.switches.random_constant : bytes[i];
    }
    if (!fake.switches.random_repeats) {
        fake.switches.random_state = state;
    }
    return true;
}

uint32_t pinmac_port_ticks_ms(void) {
    return fake.switches.now_ms;
}

void pinmac_port_policy(struct pinmac_policy *policy) {
    policy->pins_per_hour = fake.switches.pins_per_hour;
    policy->pins_burst = fake.switches.pins_burst;
    policy->pin_entry_ms = fake.switches.pin_entry_ms;
    policy->components_only_fresh = fake.switches.components_only_fresh != 0;
}
