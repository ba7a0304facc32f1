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

enum { RECORDS = 128 };

static uint8_t salt[PINMAC_SALT], log_records[RECORDS][PINMAC_BINDING];
static uint32_t log_count, counters[PINMAC_COUNTERS];
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
    memset(counters, 0, sizeof counters);
    log_count = 0;
    return has_salt = true;
}

bool pinmac_port_counter_read(enum pinmac_counter counter, uint32_t *value) {
    *value = counters[counter];
    return true;
}

bool pinmac_port_counter_raise(enum pinmac_counter counter, uint32_t value) {
    if (value > counters[counter]) {
        counters[counter] = value;
    }
    return true;
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

static void load_master(unsigned slot, const char *usage, unsigned algorithm, size_t size) {
    uint8_t part[PINMAC_KEY_MAX], kcv[PINMAC_KCV];
    bool complete;
    for (unsigned i = 0; i < 2; i++) {
        memset(part, 0x31 + (int)i, sizeof part);
        part[0] = 0x77;
        VALGRIND_MAKE_MEM_UNDEFINED(part, sizeof part);
        MUST(pinmac_load_component(slot, usage, algorithm, part, size, &complete, kcv));
    }
}

// The key that load_master made.
static void master_key(struct pinmac_key *key, enum pinmac_algorithm algorithm, size_t size) {
    memset(key, 0, sizeof *key);
    memset(key->value, 0x31 ^ 0x32, size);
    key->value[0] = 0;
    key->algorithm = (uint8_t)algorithm;
    key->size = (uint8_t)size;
}

// A working key of any value: its check value is found by asking the core's own cipher.
static void load_working(unsigned slot, const char *usage, unsigned master, size_t size, uint8_t fill) {
    static const enum pinmac_algorithm algorithms[] = {PINMAC_TDES, PINMAC_AES, [22] = PINMAC_SM4};
    uint8_t cryptogram[PINMAC_KEY_MAX], value[PINMAC_KEY_MAX], kcv[PINMAC_CHECK_VALUE];
    struct pinmac_cipher cipher;
    struct pinmac_cmac cmac;
    struct pinmac_key key;
    enum pinmac_algorithm algorithm = algorithms[master];
    master_key(&key, algorithm, master == 1 ? 32 : 16);
    memset(cryptogram, fill, sizeof cryptogram);
    pinmac_cipher_init(&cipher, algorithm, key.value, key.size);
    memcpy(value, cryptogram, size);
    for (size_t at = 0; at < size; at += cipher.block_size) {
        pinmac_cipher_decrypt(&cipher, value + at);
    }
    algorithm = size == 8 ? PINMAC_DES : algorithm;
    pinmac_check_value(&cmac, algorithm, value, size, kcv);
    MUST(pinmac_load_working(slot, usage, cryptogram, size, master, kcv, PINMAC_WORKING_KCV));
}

// A key block under the protection key of slot 14, made by the core's own leaf.
static void load_block(unsigned slot, const char *usage, char mode, enum pinmac_algorithm algorithm, size_t size) {
    struct pinmac_key protection, key = {.mode = mode, .exportability = 'E', .version = {'0', '0'}};
    static const uint8_t padding[PINMAC_TR31_DATA_MAX];
    static const uint8_t ksn[PINMAC_KSN_MAX] = {0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 0, 0, 0};
    char block[PINMAC_TR31_MAX];
    uint8_t kcv[PINMAC_KCV];
    master_key(&protection, PINMAC_AES, 32);
    memcpy(key.usage, usage, 2);
    key.algorithm = (uint8_t)algorithm;
    key.size = (uint8_t)size;
    memset(key.value, 0x5A, size);
    size_t block_size = pinmac_tr31_wrap(&protection, &key, padding, block);
    if (memcmp(usage, "B1", 2) == 0) {
        MUST(pinmac_load_dukpt(slot, block, block_size, 14, ksn, algorithm == PINMAC_TDES ? 10 : 12, kcv));
    } else {
        MUST(pinmac_load_block(slot, block, block_size, 14, kcv));
    }
}

static void enter_pin(void) {
    unsigned length;
    MUST(pinmac_pin_begin(4, 12));
    for (unsigned i = 0; i < 7; i++) {
        unsigned digit = i;
        VALGRIND_MAKE_MEM_UNDEFINED(&digit, sizeof digit);
        MUST(pinmac_pin_digit(digit, &length));
    }
    MUST(pinmac_pin_back(&length));
    MUST(pinmac_pin_length(&length));
}

static void use_pins(void) {
    static const struct { unsigned slot; int format; } uses[] = {
        {2, 0}, {2, 1}, {2, 3}, {10, 4}, {11, 4}, {20, 0}, {20, 1}, {20, 3}, {21, 4}};
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        uint8_t block[PINMAC_PIN_BLOCK_MAX];
        size_t size;
        enter_pin();
        MUST(pinmac_pin_block(uses[i].slot, uses[i].format, "6222021234567890123", 19, block, &size));
    }
    for (size_t size = PINMAC_PIN_MODULUS_MIN; size <= PINMAC_PIN_MODULUS_MAX; size += 60) {
        uint8_t modulus[PINMAC_PIN_MODULUS_MAX], out[PINMAC_PIN_MODULUS_MAX];
        memset(modulus, 0xC5, sizeof modulus);
        enter_pin();
        MUST(pinmac_pin_enciphered(modulus, size, size == PINMAC_PIN_MODULUS_MIN ? 3 : 65537,
            (const uint8_t *)"\x01\x02\x03\x04\x05\x06\x07\x08", PINMAC_UNPREDICTABLE_NUMBER, out));
    }
    enter_pin();
    pinmac_pin_cancel();
}

static void use_macs(void) {
    static const struct { unsigned slot, algorithm; } uses[] = {
        {3, PINMAC_MAC_CUP}, {4, PINMAC_MAC_CUP}, {6, PINMAC_MAC_CMAC}, {7, PINMAC_MAC_CMAC},
        {12, PINMAC_MAC_CUP_SM4}, {16, PINMAC_MAC_X99}, {17, PINMAC_MAC_X99}, {18, PINMAC_MAC_X919},
        {20, PINMAC_MAC_X919}, {21, PINMAC_MAC_CMAC}};
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        uint8_t mac[PINMAC_BLOCK_MAX], pieces[PINMAC_BLOCK_MAX];
        size_t size;
        bool dukpt = uses[i].slot >= 20;
        MUST(pinmac_mac(uses[i].slot, uses[i].algorithm, (const uint8_t *)"a message of any size", 21, mac, &size));
        VALGRIND_MAKE_MEM_DEFINED(mac, sizeof mac);
        MUST(pinmac_mac_init(uses[i].slot, uses[i].algorithm));
        MUST(pinmac_mac_update((const uint8_t *)"a message of any size", 21));
        MUST(dukpt ? pinmac_mac_final(pieces, &size) : pinmac_mac_final_verify(mac, size));
        enum pinmac_result verified =
            pinmac_mac_verify(uses[i].slot, uses[i].algorithm, (const uint8_t *)"a message of any size", 21, mac, size);
        // A DUKPT slot verifies with the key of responses, so its own MAC is refused.
        must(verified == (dukpt ? PINMAC_BAD_MAC : PINMAC_OK) ? PINMAC_OK : PINMAC_BAD_MAC, __LINE__);
    }
}

static void use_data_keys(void) {
    uint8_t data[48] = "6225880000071234", iv[16] = {0}, kcv[PINMAC_KCV], track[PINMAC_TRACK_MAX / 2];
    static const struct { unsigned slot; size_t iv_size; } uses[] = {{8, 16}, {9, 8}, {13, 16}, {20, 8}, {21, 16}};
    char stripe[] = "6225880000071234=30122011234500000000";
    VALGRIND_MAKE_MEM_UNDEFINED(data, sizeof data);
    MUST(pinmac_generate(8, "D0", PINMAC_AES, kcv));
    MUST(pinmac_generate(9, "D0", PINMAC_TDES, kcv));
    MUST(pinmac_generate(13, "D0", PINMAC_SM4, kcv));
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        MUST(pinmac_encrypt(uses[i].slot, iv, uses[i].iv_size, data, sizeof data));
        MUST(pinmac_decrypt(uses[i].slot, iv, uses[i].iv_size, data, sizeof data));
    }
    // The key of a track is secret; its digits come from the caller and are checked by branches.
    MUST(pinmac_encrypt_track(5, stripe, sizeof stripe - 1, track));
}

static void seal_all(void) {
    for (unsigned slot = 2; slot < 22; slot++) {
        uint8_t blob[PINMAC_SEALED_MAX], kcv[PINMAC_KCV];
        struct pinmac_info info;
        size_t size;
        MUST(pinmac_info(slot, &info));
        if (info.empty) {
            continue;
        }
        MUST(pinmac_kcv(slot, kcv));
        MUST(pinmac_seal(slot, blob, &size));
        VALGRIND_MAKE_MEM_DEFINED(blob, sizeof blob);
        MUST(pinmac_erase(slot));
        MUST(pinmac_unseal(slot, blob, size, kcv));
        if (info.exportability == 'E' && info.usage[0] != 'B' && info.algorithm != PINMAC_SM4) {
            char block[PINMAC_TR31_MAX];
            MUST(pinmac_export_block(slot, 14, block, &size));
            VALGRIND_MAKE_MEM_DEFINED(block, sizeof block);
            MUST(pinmac_erase(slot));
            MUST(pinmac_load_block(slot, block, size, 14, kcv));
        }
    }
}

static void load_all(void) {
    load_master(0, "K0", PINMAC_TDES, 16);
    load_master(1, "K0", PINMAC_AES, 32);
    load_working(2, "P0", 0, 16, 0xA1);
    load_working(3, "M0", 0, 8, 0xA2);
    load_working(4, "M0", 0, 24, 0xA3);
    load_working(5, "D0", 0, 16, 0xA4);
    load_working(6, "M6", 0, 16, 0xA5);
    load_working(7, "M6", 1, 32, 0xA6);
    load_working(10, "P0", 1, 16, 0xA7);
    MUST(pinmac_erase(1));
    load_master(22, "K0", PINMAC_SM4, 16);
    load_working(11, "P0", 22, 16, 0xA8);
    load_working(12, "M0", 22, 16, 0xA9);
    load_master(14, "K1", PINMAC_AES, 32);
    load_block(16, "M1", 'C', PINMAC_DES, 8);
    load_block(17, "M1", 'N', PINMAC_TDES, 24);
    load_block(18, "M3", 'C', PINMAC_TDES, 16);
    load_block(19, "K0", 'D', PINMAC_TDES, 16);
    load_block(20, "B1", 'X', PINMAC_TDES, 16);
    load_block(21, "B1", 'X', PINMAC_AES, 16);
}

int main(int count, char **arguments) {
    uint8_t ksn[PINMAC_KSN_MAX], random[16], recovered[PINMAC_RSA_MIN] = {0}, modulus[PINMAC_RSA_MIN];
    size_t size;
    MUST(pinmac_self_test());
    load_all();
    MUST(pinmac_random(random, sizeof random));
    memset(modulus, 0xFF, sizeof modulus);
    MUST(pinmac_rsa_recover(modulus, sizeof modulus, 3, recovered, sizeof recovered));
    for (unsigned round = 0; round < 3; round++) {
        MUST(pinmac_dukpt_next(20, ksn, &size));
        MUST(pinmac_dukpt_next(21, ksn, &size));
        use_pins();
        use_macs();
        use_data_keys();
        seal_all();
    }
    MUST(pinmac_zeroize());
    if (count > 1 && strcmp(arguments[1], "leak") == 0) {
        uint8_t secret[PINMAC_SECRET];
        pinmac_port_secret(secret);
        puts(secret[3] > 0x40 ? "more" : "less");
    }
    return 0;
}
