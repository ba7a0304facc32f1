// The port of pinmac for the bare board under QEMU. TEST ONLY: it must never hold a live key.
//
// The device's secret is a fixed value that anyone can read here. Salt, binding log and counters lie
// in RAM and last until power-off, so every start is a fresh device. Entropy is read from the
// workstation's /dev/urandom through semihosting, since the machine has no source of its own. The
// names of these functions carry `test_only`, so that a search of an image's symbols finds them.

#include <string.h>

#include "py/mphal.h"
#include "shared/runtime/semihosting_rv32.h"

#include "../../pinmac_port.h"

enum { BINDINGS = 1024 };

static struct {
    bool has_salt;
    uint8_t salt[PINMAC_SALT];
    uint8_t bindings[BINDINGS][PINMAC_BINDING];
    uint32_t bindings_count;
    uint32_t counters[PINMAC_COUNTERS];
} test_only_storage;

// External names, or the compiler would fold them away and the symbols with them.
bool pinmac_test_only_secret(uint8_t secret[PINMAC_SECRET]);
bool pinmac_test_only_entropy_of_host(uint8_t *bytes, size_t size);

bool pinmac_test_only_secret(uint8_t secret[PINMAC_SECRET]) {
    static const char value[PINMAC_SECRET + 1] = "TEST ONLY: the bare board's key.";
    memcpy(secret, value, PINMAC_SECRET);
    return true;
}

bool pinmac_test_only_entropy_of_host(uint8_t *bytes, size_t size) {
    int file = mp_semihosting_open("/dev/urandom", "rb");
    if (file < 0) {
        return false;
    }
    bool whole = mp_semihosting_read(file, bytes, size) == 0;
    return mp_semihosting_close(file) == 0 && whole;
}

bool pinmac_port_secret(uint8_t secret[PINMAC_SECRET]) {
    return pinmac_test_only_secret(secret);
}

bool pinmac_port_salt_read(uint8_t salt[PINMAC_SALT]) {
    memcpy(salt, test_only_storage.salt, PINMAC_SALT);
    return test_only_storage.has_salt;
}

bool pinmac_port_salt_create(const uint8_t salt[PINMAC_SALT]) {
    memcpy(test_only_storage.salt, salt, PINMAC_SALT);
    memset(test_only_storage.counters, 0, sizeof test_only_storage.counters);
    test_only_storage.bindings_count = 0;
    test_only_storage.has_salt = true;
    return true;
}

bool pinmac_port_salt_destroy(void) {
    memset(test_only_storage.salt, 0, PINMAC_SALT);
    test_only_storage.has_salt = false;
    return true;
}

bool pinmac_port_binding_read(uint32_t number, uint8_t record[PINMAC_BINDING]) {
    if (number >= test_only_storage.bindings_count) {
        return false;
    }
    memcpy(record, test_only_storage.bindings[number], PINMAC_BINDING);
    return true;
}

bool pinmac_port_binding_write(uint32_t number, const uint8_t record[PINMAC_BINDING]) {
    if (number >= BINDINGS) {
        return false;
    }
    memcpy(test_only_storage.bindings[number], record, PINMAC_BINDING);
    test_only_storage.bindings_count = number + 1;
    return true;
}

bool pinmac_port_counter_read(enum pinmac_counter counter, uint32_t *value) {
    *value = test_only_storage.counters[counter];
    return true;
}

bool pinmac_port_counter_raise(enum pinmac_counter counter, uint32_t value) {
    if (value > test_only_storage.counters[counter]) {
        test_only_storage.counters[counter] = value;
    }
    return true;
}

bool pinmac_port_random(uint8_t *bytes, size_t size) {
    return pinmac_test_only_entropy_of_host(bytes, size);
}

uint32_t pinmac_port_ticks_ms(void) {
    return mp_hal_ticks_ms();
}

void pinmac_port_policy(struct pinmac_policy *policy) {
    memset(policy, 0, sizeof *policy);
}
