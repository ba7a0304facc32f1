// TR-31 version D: encrypt-and-MAC with keys derived by CMAC from the key block protection key.
#include "tr31.h"

#include <string.h>

#include "secure.h"

enum derived_use { USE_ENCRYPTION = 0, USE_MAC = 1 };
enum { LENGTH_FIELD = 2, DERIVED = 32 };

static struct pinmac_cmac cmac;
static struct pinmac_cipher cipher;
static uint8_t derived[DERIVED];
static uint8_t clear[PINMAC_TR31_DATA_MAX];

static void wipe_work(void) {
    pinmac_wipe(&cipher, sizeof cipher);
    pinmac_wipe(derived, sizeof derived);
    pinmac_wipe(clear, sizeof clear);
}

// X9.143 7.2 (TR-31:2018 5.3.2.3): counter, usage, separator, algorithm AES-256, length in bits.
static void derive(const uint8_t protection_key[32], enum derived_use use) {
    for (uint8_t counter = 1; counter <= 2; counter++) {
        const uint8_t input[8] = {counter, 0, (uint8_t)use, 0, 0, 4, 1, 0};
        pinmac_cmac_init(&cmac, PINMAC_AES, protection_key, 32);
        pinmac_cmac_update(&cmac, input, sizeof input);
        pinmac_cmac_final(&cmac, derived + 16 * (counter - 1));
    }
}

static void authenticate(const uint8_t protection_key[32], const char *header, size_t data_size,
    uint8_t mac[PINMAC_TR31_MAC]) {
    derive(protection_key, USE_MAC);
    pinmac_cmac_init(&cmac, PINMAC_AES, derived, DERIVED);
    pinmac_cmac_update(&cmac, (const uint8_t *)header, PINMAC_TR31_HEADER);
    pinmac_cmac_update(&cmac, clear, data_size);
    pinmac_cmac_final(&cmac, mac);
}

// The length of the key is masked by padding every key of an algorithm to the longest.
static size_t data_size_of(enum pinmac_algorithm algorithm) {
    return algorithm == PINMAC_AES ? 48 : 32;
}

static char *put_hex(char *text, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        *text++ = (char)pinmac_hex(bytes[i] >> 4);
        *text++ = (char)pinmac_hex(bytes[i] & 0xFu);
    }
    return text;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool get_hex(uint8_t *bytes, size_t size, const char *text) {
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static size_t put_header(char *block, const struct pinmac_key *key) {
    static const char letter[] = {[PINMAC_DES] = 'D', [PINMAC_TDES] = 'T', [PINMAC_AES] = 'A'};
    size_t size = PINMAC_TR31_HEADER + 2 * (data_size_of(key->algorithm) + PINMAC_TR31_MAC);
    block[0] = 'D';
    block[1] = '0';
    block[2] = (char)('0' + size / 100);
    block[3] = (char)('0' + size / 10 % 10);
    block[4] = (char)('0' + size % 10);
    memcpy(block + 5, key->usage, 2);
    block[7] = letter[key->algorithm];
    block[8] = key->mode;
    memcpy(block + 9, "00", 2);
    block[11] = key->exportability;
    memcpy(block + 12, "0000", 4);
    return size;
}

// The header is rebuilt from what was read and must come out the same: nothing else is accepted.
static bool get_header(const char *block, size_t size, struct pinmac_key *key) {
    char again[PINMAC_TR31_HEADER];
    if (size < PINMAC_TR31_HEADER) {
        return false;
    }
    switch (block[7]) {
        case 'D':
            key->algorithm = PINMAC_DES;
            break;
        case 'T':
            key->algorithm = PINMAC_TDES;
            break;
        case 'A':
            key->algorithm = PINMAC_AES;
            break;
        default:
            return false;
    }
    memcpy(key->usage, block + 5, 2);
    key->mode = block[8];
    key->exportability = block[11];
    return put_header(again, key) == size && memcmp(again, block, sizeof again) == 0;
}

size_t pinmac_tr31_wrap(const uint8_t protection_key[32], const struct pinmac_key *key,
    const uint8_t *padding, char *block) {
    uint8_t mac[PINMAC_TR31_MAC], chain[PINMAC_TR31_MAC];
    size_t data_size = data_size_of(key->algorithm), total = put_header(block, key);
    memcpy(clear, padding, data_size);
    clear[0] = (uint8_t)(key->size * 8 >> 8);
    clear[1] = (uint8_t)(key->size * 8);
    memcpy(clear + LENGTH_FIELD, key->value, key->size);
    authenticate(protection_key, block, data_size, mac);
    derive(protection_key, USE_ENCRYPTION);
    pinmac_cipher_init(&cipher, PINMAC_AES, derived, DERIVED);
    memcpy(chain, mac, sizeof chain);
    pinmac_cbc_encrypt(&cipher, chain, clear, data_size);
    put_hex(put_hex(block + PINMAC_TR31_HEADER, clear, data_size), mac, sizeof mac);
    wipe_work();
    return total;
}

static bool take_key(struct pinmac_key *key) {
    unsigned bits = (unsigned)clear[0] << 8 | clear[1];
    PINMAC_DECLASSIFY(bits);
    if (bits % 8 != 0 || !pinmac_key_size_ok(key->algorithm, bits / 8)) {
        return false;
    }
    key->size = bits / 8;
    memcpy(key->value, clear + LENGTH_FIELD, key->size);
    return true;
}

bool pinmac_tr31_unwrap(
    const uint8_t protection_key[32], const char *block, size_t size, struct pinmac_key *key) {
    uint8_t mac[PINMAC_TR31_MAC], expected[PINMAC_TR31_MAC];
    bool authentic = false;
    pinmac_wipe(key, sizeof *key);
    if (get_header(block, size, key)) {
        size_t data_size = data_size_of(key->algorithm);
        const char *body = block + PINMAC_TR31_HEADER;
        if (get_hex(clear, data_size, body) && get_hex(mac, sizeof mac, body + 2 * data_size)) {
            memcpy(expected, mac, sizeof expected);
            derive(protection_key, USE_ENCRYPTION);
            pinmac_cipher_init(&cipher, PINMAC_AES, derived, DERIVED);
            pinmac_cbc_decrypt(&cipher, expected, clear, data_size);
            authenticate(protection_key, block, data_size, expected);
            authentic = pinmac_equal(mac, expected, sizeof mac) && take_key(key);
        }
    }
    if (!authentic) {
        pinmac_wipe(key, sizeof *key);
    }
    wipe_work();
    return authentic;
}
