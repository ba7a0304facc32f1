// Known answers of every algorithm that is built in, each with its source, and a look at the entropy.
#include <string.h>

#include "pinmac.h"
#include "secure.h"

static enum { NOT_TESTED, PASSED, FAILED } verdict;

// A block cipher's answer, both ways.
struct cipher_answer {
    enum pinmac_algorithm algorithm;
    size_t key_size;
    const char *key, *clear, *enciphered;
};

static const struct cipher_answer cipher_answers[] = {
    // The worked example of the DES of 1977 (NBS Special Publication 500-20, known plain text).
    {PINMAC_DES, 8, "\x01\x23\x45\x67\x89\xAB\xCD\xEF", "Now is t", "\x3F\xA4\x0E\x8A\x98\x4D\x48\x15"},
    // UnionPay sign-on (PROTOCOL.md): a master key and the first half of a PIN key under it.
    {PINMAC_TDES, 16, "\xCA\x5D\x92\x59\x8D\xCA\x48\xCE\x8A\x4C\x76\x36\x1A\x92\x69\xE9",
        "\x80\x7A\x23\xAD\x32\xB3\x6D\x45", "\x67\x01\xEA\xD6\xA9\xAD\x51\xE5"},
    // NIST SP 800-67 B.1.
    {PINMAC_TDES, 24,
        "\x01\x23\x45\x67\x89\xAB\xCD\xEF\x23\x45\x67\x89\xAB\xCD\xEF\x01\x45\x67\x89\xAB\xCD\xEF\x01\x23",
        "The qufc", "\xA8\x26\xFD\x8C\xE5\x3B\x85\x5F"},
    // FIPS 197 C.1 and C.3.
    {PINMAC_AES, 16, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F",
        "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF",
        "\x69\xC4\xE0\xD8\x6A\x7B\x04\x30\xD8\xCD\xB7\x80\x70\xB4\xC5\x5A"},
    {PINMAC_AES, 32,
        "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"
        "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1A\x1B\x1C\x1D\x1E\x1F",
        "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF",
        "\x8E\xA2\xB7\xCA\x51\x67\x45\xBF\xEA\xFC\x49\x90\x4B\x49\x60\x89"},
};

static bool test_ciphers(void) {
    static struct pinmac_cipher cipher;
    bool good = true;
    for (size_t i = 0; i < sizeof cipher_answers / sizeof cipher_answers[0]; i++) {
        const struct cipher_answer *answer = &cipher_answers[i];
        uint8_t block[PINMAC_BLOCK_MAX];
        pinmac_cipher_init(&cipher, answer->algorithm, (const uint8_t *)answer->key, answer->key_size);
        memcpy(block, answer->clear, cipher.block_size);
        pinmac_cipher_encrypt(&cipher, block);
        good = good && memcmp(block, answer->enciphered, cipher.block_size) == 0;
        pinmac_cipher_decrypt(&cipher, block);
        good = good && memcmp(block, answer->clear, cipher.block_size) == 0;
    }
    return good;
}

// RFC 4493, section 4, example 3: 40 bytes.
static bool test_cmac(void) {
    static struct pinmac_cmac cmac;
    static const char key[] = "\x2B\x7E\x15\x16\x28\xAE\xD2\xA6\xAB\xF7\x15\x88\x09\xCF\x4F\x3C";
    static const char message[] =
        "\x6B\xC1\xBE\xE2\x2E\x40\x9F\x96\xE9\x3D\x7E\x11\x73\x93\x17\x2A\xAE\x2D\x8A\x57"
        "\x1E\x03\xAC\x9C\x9E\xB7\x6F\xAC\x45\xAF\x8E\x51\x30\xC8\x1C\x46\xA3\x5C\xE4\x11";
    uint8_t mac[PINMAC_BLOCK_MAX];
    pinmac_cmac_init(&cmac, PINMAC_AES, (const uint8_t *)key, 16);
    pinmac_cmac_update(&cmac, (const uint8_t *)message, 40);
    pinmac_cmac_final(&cmac, mac);
    return memcmp(mac, "\xDF\xA6\x67\x47\xDE\x9A\xE6\x30\x30\xCA\x32\x61\x14\x97\xC8\x27", 16) == 0;
}

// PROTOCOL.md, "MAC": the folded message R, which as a message of one block folds to itself.
static bool test_mac_cup(void) {
    static struct pinmac_cup cup;
    static const char key[] = "\x07\x23\xC8\x0D\xB5\xF4\xCD\x3D";
    uint8_t mac[PINMAC_CUP_SIZE];
    pinmac_cup_init(&cup, PINMAC_DES, (const uint8_t *)key, 8);
    pinmac_cup_update(&cup, (const uint8_t *)"\x37\x61\x34\x36\x19\xAC\x64\x92", 8);
    pinmac_cup_final(&cup, mac);
    return memcmp(mac, "B3A092AE", sizeof mac) == 0;
}

// PINMAC.md: PIN 1234 and PAN 5555555551234567.
static bool test_pin_block(void) {
    static const struct pinmac_pin pin = {true, 4, 12, 4, {1, 2, 3, 4}};
    uint8_t block[PINMAC_PIN_BLOCK];
    pinmac_pin_format_0(&pin, "5555555551234567", 16, block);
    return memcmp(block, "\x04\x12\x61\xAA\xAA\xED\xCB\xA9", sizeof block) == 0;
}

// A block made by psec 1.3.0 under the bytes 00 to 1F, and what it holds.
static bool test_key_block(void) {
    static const char block[] = "D0112P0TE00N0000"
        "ACC1812F37264766A7705E336C5DB4FA692C6AAB7CAB5353A0958D5485682346"
        "25EC8FEA8658065969ADE3B998938142";
    static const char value[] = "\x80\x7A\x23\xAD\x32\xB3\x6D\x45\x7A\xE9\x1F\xDF\x92\x75\x70\xEA";
    static struct pinmac_key key;
    uint8_t protection_key[32];
    for (uint8_t i = 0; i < sizeof protection_key; i++) {
        protection_key[i] = i;
    }
    bool good = pinmac_tr31_unwrap(protection_key, block, sizeof block - 1, &key);
    return good && key.size == 16 && memcmp(key.value, value, 16) == 0;
}

// A source that repeats itself, or hangs at one value, is no source (NIST SP 800-90B 4.4.1, in short).
static bool test_entropy(void) {
    enum { SAMPLE = 32 };
    uint8_t first[SAMPLE], second[SAMPLE];
    bool good = pinmac_random(first, SAMPLE) == PINMAC_OK && pinmac_random(second, SAMPLE) == PINMAC_OK &&
        !pinmac_equal(first, second, SAMPLE) && !pinmac_equal(first, first + 1, SAMPLE - 1);
    pinmac_wipe(first, sizeof first);
    pinmac_wipe(second, sizeof second);
    return good;
}

enum pinmac_result pinmac_self_test(void) {
    bool good = test_ciphers();
    good = test_cmac() && good;
    good = test_mac_cup() && good;
    good = test_pin_block() && good;
    good = test_key_block() && good;
    good = test_entropy() && good;
    verdict = good ? PASSED : FAILED;
    return good ? PINMAC_OK : PINMAC_SELF_TEST_FAILED;
}

enum pinmac_result pinmac_self_tested(void) {
    if (verdict == NOT_TESTED) {
        return pinmac_self_test();
    }
    return verdict == PASSED ? PINMAC_OK : PINMAC_SELF_TEST_FAILED;
}
