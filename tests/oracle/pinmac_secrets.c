// Runs every path of pinmac's core that touches a secret, with the secrets marked undefined for
// valgrind's memcheck: a branch or an address that depends on one is reported. This file is its port.
//
// With the argument "leak" it branches on a secret on purpose, so that the check itself is checked.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "core/pinmac.h"
#include "core/secure.h"
#include "pinmac_port.h"

enum { RECORDS = 64 };

static uint8_t salt[PINMAC_SALT], log_records[RECORDS][PINMAC_BINDING];
static uint32_t log_count;
static bool has_salt;

bool pinmac_port_secret(uint8_t secret[PINMAC_SECRET]) {
    memset(secret, 0x42, PINMAC_SECRET);
    VALGRIND_MAKE_MEM_UNDEFINED(secret, PINMAC_SECRET);
    return true;
}

bool pinmac_port_salt_read(uint8_t out[PINMAC_SALT]) {
    memcpy(out, salt, PINMAC_SALT);
    return has_salt;
}

bool pinmac_port_salt_create(const uint8_t in[PINMAC_SALT]) {
    memcpy(salt, in, PINMAC_SALT);
    VALGRIND_MAKE_MEM_DEFINED(salt, sizeof salt);
    log_count = 0;
    return has_salt = true;
}

bool pinmac_port_salt_destroy(void) {
    memset(salt, 0, sizeof salt);
    has_salt = false;
    return true;
}

bool pinmac_port_binding_read(uint32_t number, uint8_t record[PINMAC_BINDING]) {
    if (number < log_count) {
        memcpy(record, log_records[number], PINMAC_BINDING);
    }
    return number < log_count;
}

bool pinmac_port_binding_write(uint32_t number, const uint8_t record[PINMAC_BINDING]) {
    memcpy(log_records[number], record, PINMAC_BINDING);
    VALGRIND_MAKE_MEM_DEFINED(log_records[number], PINMAC_BINDING);
    log_count = number + 1;
    return true;
}

// What the generator gives may become a key: undefined too.
bool pinmac_port_random(uint8_t *bytes, size_t size) {
    static unsigned next = 1;
    for (size_t i = 0; i < size; i++) {
        next = next * 1103515245u + 12345u;
        bytes[i] = (uint8_t)(next >> 16);
    }
    VALGRIND_MAKE_MEM_UNDEFINED(bytes, size);
    return true;
}

uint32_t pinmac_port_ticks_ms(void) {
    return 0;
}

void pinmac_port_policy(struct pinmac_policy *policy) {
    memset(policy, 0, sizeof *policy);
}

static void must(enum pinmac_result result, int line) {
    if (result != PINMAC_OK) {
        fprintf(stderr, "line %d: %s\n", line, pinmac_result_text(result));
        exit(1);
    }
}
#define MUST(call) must(call, __LINE__)

static void load_master(unsigned slot, unsigned algorithm, size_t size) {
    uint8_t part[PINMAC_KEY_MAX], kcv[PINMAC_KCV];
    bool complete;
    for (unsigned i = 0; i < 2; i++) {
        memset(part, 0x31 + (int)i, sizeof part);
        part[0] = 0x77;
        VALGRIND_MAKE_MEM_UNDEFINED(part, sizeof part);
        MUST(pinmac_load_component(slot, "K0", algorithm, part, size, &complete, kcv));
    }
}

// A working key of any value: its check value is found by asking the core's own cipher.
static void load_working(unsigned slot, const char *usage, unsigned master, size_t size, uint8_t fill) {
    uint8_t cryptogram[PINMAC_KEY_MAX], key[PINMAC_KEY_MAX], kcv[PINMAC_CHECK_VALUE];
    struct pinmac_cipher cipher;
    size_t key_size = master == 0 ? 16 : 32;
    memset(key, 0x31 ^ 0x32, key_size);
    key[0] = 0;
    memset(cryptogram, fill, sizeof cryptogram);
    pinmac_cipher_init(&cipher, master == 0 ? PINMAC_TDES : PINMAC_AES, key, key_size);
    memcpy(key, cryptogram, size);
    for (size_t at = 0; at < size; at += cipher.block_size) {
        pinmac_cipher_decrypt(&cipher, key + at);
    }
    enum pinmac_algorithm algorithm = master != 0 ? PINMAC_AES : size == 8 ? PINMAC_DES : PINMAC_TDES;
    pinmac_check_value(algorithm, key, size, kcv);
    MUST(pinmac_load_working(slot, usage, cryptogram, size, master, kcv, PINMAC_WORKING_KCV));
}

static void enter_pin(void) {
    uint8_t block[PINMAC_PIN_BLOCK];
    unsigned length;
    MUST(pinmac_pin_begin(4, 12));
    for (unsigned i = 0; i < 7; i++) {
        unsigned digit = i;
        VALGRIND_MAKE_MEM_UNDEFINED(&digit, sizeof digit);
        MUST(pinmac_pin_digit(digit, &length));
    }
    MUST(pinmac_pin_back(&length));
    MUST(pinmac_pin_block(2, 0, "6222021234567890123", 19, block));
}

static void use_macs(void) {
    static const struct { unsigned slot, algorithm; } uses[] = {
        {3, PINMAC_MAC_CUP}, {4, PINMAC_MAC_CUP}, {6, PINMAC_MAC_CMAC}, {7, PINMAC_MAC_CMAC}};
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        uint8_t mac[PINMAC_BLOCK_MAX];
        size_t size;
        MUST(pinmac_mac(uses[i].slot, uses[i].algorithm, (const uint8_t *)"a message", 9, mac, &size));
        VALGRIND_MAKE_MEM_DEFINED(mac, sizeof mac);
        MUST(pinmac_mac_init(uses[i].slot, uses[i].algorithm));
        MUST(pinmac_mac_update((const uint8_t *)"a message", 9));
        MUST(pinmac_mac_final_verify(mac, size));
    }
}

static void use_data_keys(void) {
    uint8_t data[48] = "6225880000071234", iv[16] = {0}, kcv[PINMAC_KCV];
    VALGRIND_MAKE_MEM_UNDEFINED(data, sizeof data);
    MUST(pinmac_generate(8, "D0", PINMAC_AES, kcv));
    MUST(pinmac_generate(9, "D0", PINMAC_TDES, kcv));
    MUST(pinmac_encrypt(8, iv, 16, data, sizeof data));
    MUST(pinmac_decrypt(8, iv, 16, data, sizeof data));
    MUST(pinmac_encrypt(9, iv, 8, data, sizeof data));
    MUST(pinmac_decrypt(9, iv, 8, data, sizeof data));
}

static void seal_all(void) {
    for (unsigned slot = 2; slot < 10; slot++) {
        char block[PINMAC_TR31_MAX];
        uint8_t kcv[PINMAC_KCV];
        size_t size;
        MUST(pinmac_seal(slot, block, &size));
        VALGRIND_MAKE_MEM_DEFINED(block, sizeof block);
        MUST(pinmac_unseal(slot + 10, block, size, kcv));
    }
}

int main(int count, char **arguments) {
    load_master(0, PINMAC_TDES, 16);
    load_master(1, PINMAC_AES, 32);
    load_working(2, "P0", 0, 16, 0xA1);
    load_working(3, "M0", 0, 8, 0xA2);
    load_working(4, "M0", 0, 24, 0xA3);
    load_working(5, "D0", 0, 16, 0xA4);
    load_working(6, "M6", 0, 16, 0xA5);
    load_working(7, "M6", 1, 32, 0xA6);
    enter_pin();
    use_macs();
    use_data_keys();
    seal_all();
    MUST(pinmac_zeroize());
    if (count > 1 && strcmp(arguments[1], "leak") == 0) {
        uint8_t secret[PINMAC_SECRET];
        pinmac_port_secret(secret);
        puts(secret[3] > 0x40 ? "more" : "less");
    }
    return 0;
}
