// Known answers of every algorithm that is built in, each with its source, and a look at the entropy.
#include <string.h>

#include "cbc_mac.h"
#include "dukpt_aes.h"
#include "pinmac.h"
#include "secure.h"
#include "work.h"

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
    // GB/T 32907-2016 A.1.
    {PINMAC_SM4, 16, "\x01\x23\x45\x67\x89\xAB\xCD\xEF\xFE\xDC\xBA\x98\x76\x54\x32\x10",
        "\x01\x23\x45\x67\x89\xAB\xCD\xEF\xFE\xDC\xBA\x98\x76\x54\x32\x10",
        "\x68\x1E\xDF\x34\xD2\x06\x96\x5E\x86\xB3\xE9\x4F\x53\x6E\x42\x46"},
};

static bool test_ciphers(void) {
    struct pinmac_cipher *cipher = &pinmac_work.keys.cipher;
    bool good = true;
    for (size_t i = 0; i < sizeof cipher_answers / sizeof cipher_answers[0]; i++) {
        const struct cipher_answer *answer = &cipher_answers[i];
        uint8_t block[PINMAC_BLOCK_MAX];
        pinmac_cipher_init(cipher, answer->algorithm, (const uint8_t *)answer->key, answer->key_size);
        memcpy(block, answer->clear, cipher->block_size);
        pinmac_cipher_encrypt(cipher, block);
        good &= memcmp(block, answer->enciphered, cipher->block_size) == 0;
        pinmac_cipher_decrypt(cipher, block);
        good &= memcmp(block, answer->clear, cipher->block_size) == 0;
    }
    return good;
}

// RFC 4493, section 4, example 3: 40 bytes.
static bool test_cmac(void) {
    struct pinmac_cmac *cmac = &pinmac_work.keys.cmac;
    static const char key[] = "\x2B\x7E\x15\x16\x28\xAE\xD2\xA6\xAB\xF7\x15\x88\x09\xCF\x4F\x3C";
    static const char message[] =
        "\x6B\xC1\xBE\xE2\x2E\x40\x9F\x96\xE9\x3D\x7E\x11\x73\x93\x17\x2A\xAE\x2D\x8A\x57"
        "\x1E\x03\xAC\x9C\x9E\xB7\x6F\xAC\x45\xAF\x8E\x51\x30\xC8\x1C\x46\xA3\x5C\xE4\x11";
    uint8_t mac[PINMAC_BLOCK_MAX];
    pinmac_cmac_init(cmac, PINMAC_AES, (const uint8_t *)key, 16);
    pinmac_cmac_update(cmac, (const uint8_t *)message, 40);
    pinmac_cmac_final(cmac, mac);
    return memcmp(mac, "\xDF\xA6\x67\x47\xDE\x9A\xE6\x30\x30\xCA\x32\x61\x14\x97\xC8\x27", 16) == 0;
}

// PROTOCOL.md, "MAC": the folded message R, which as a message of one block folds to itself.
static bool test_mac_cup(void) {
    struct pinmac_cup *cup = &pinmac_work.mac.context.state.cup;
    static const char key[] = "\x07\x23\xC8\x0D\xB5\xF4\xCD\x3D";
    uint8_t mac[PINMAC_CUP_SIZE];
    pinmac_cup_init(cup, PINMAC_DES, (const uint8_t *)key, 8);
    pinmac_cup_update(cup, (const uint8_t *)"\x37\x61\x34\x36\x19\xAC\x64\x92", 8);
    pinmac_cup_final(cup, mac);
    return memcmp(mac, "B3A092AE", sizeof mac) == 0;
}

// ISO/IEC 9797-1 annex examples as PINMAC.md gives them: algorithm 1 and algorithm 3, zero padding.
static bool test_cbc_macs(void) {
    struct pinmac_cbc_mac *cbc = &pinmac_work.mac.context.state.cbc;
    uint8_t mac[PINMAC_DES_BLOCK], key[16];
    pinmac_cbc_mac_init(cbc, false, PINMAC_DES, (const uint8_t *)"\x01\x23\x45\x67\x89\xAB\xCD\xEF", 8);
    pinmac_cbc_mac_update(cbc, (const uint8_t *)"7654321 Now is the time for ", 28);
    pinmac_cbc_mac_final(cbc, mac);
    bool good = memcmp(mac, "\xF1\xD3\x0F\x68\x49\x31\x2C\xA4", sizeof mac) == 0;
    memset(key, 0xAA, 8);
    memset(key + 8, 0xBB, 8);
    pinmac_cbc_mac_init(cbc, true, PINMAC_TDES, key, sizeof key);
    pinmac_cbc_mac_update(cbc, (const uint8_t *)"hello world", 11);
    pinmac_cbc_mac_final(cbc, mac);
    good &= memcmp(mac, "\x78\xDA\x3D\x3D\xEB\x48\xFD\x4D", sizeof mac) == 0;
    return good;
}

// PINMAC.md: PIN 1234 with PAN 5555555551234567 in format 0, and in format 4 with PAN
// 1234567890123456789, random bytes FF and the AES key 00112233445566778899AABBCCDDEEFF.
static bool test_pin_blocks(void) {
    static const struct pinmac_pin pin = {true, 4, 12, 4, {1, 2, 3, 4}};
    struct pinmac_cipher *cipher = &pinmac_work.keys.cipher;
    uint8_t block[PINMAC_PIN_BLOCK_MAX], account[PINMAC_PIN_BLOCK_MAX];
    pinmac_pin_format_0(&pin, "5555555551234567", 16, block);
    bool good = memcmp(block, "\x04\x12\x61\xAA\xAA\xED\xCB\xA9", PINMAC_PIN_BLOCK) == 0;
    pinmac_pin_format_4(&pin, (const uint8_t *)"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", block);
    pinmac_pin_account_4("1234567890123456789", 19, account);
    pinmac_cipher_init(cipher, PINMAC_AES,
        (const uint8_t *)"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF", 16);
    pinmac_cipher_encrypt(cipher, block);
    pinmac_xor(block, account, sizeof block);
    pinmac_cipher_encrypt(cipher, block);
    good &=
        memcmp(block, "\x28\xB4\x1F\xDD\xD2\x9B\x74\x3E\x93\x12\x4B\xD8\xE3\x2D\x92\x1E", sizeof block) == 0;
    return good;
}

// X9.24-1:2009 A.4 and X9.24-3 (PINMAC.md): the key of counter 1, from each standard's initial key.
static bool test_dukpt(void) {
    struct pinmac_cipher *cipher = &pinmac_work.keys.cipher;
    uint8_t key[PINMAC_DUKPT_KEY];
    memcpy(key, "\x6A\xC2\x92\xFA\xA1\x31\x5B\x4D\x85\x8A\xB3\xA3\xD7\xD5\x93\x3A", sizeof key);
    pinmac_dukpt_tdes_derive(cipher, key, (const uint8_t *)"\xFF\xFF\x98\x76\x54\x32\x10\xE0\x00\x01");
    bool good =
        memcmp(key, "\x04\x26\x66\xB4\x91\x84\xCF\xA3\x68\xDE\x96\x28\xD0\x39\x7B\xC9", sizeof key) == 0;
    static const uint8_t ksn[] = {0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0, 0, 0, 1};
    memcpy(key, "\x12\x73\x67\x1E\xA2\x6A\xC2\x9A\xFA\x4D\x10\x84\x12\x76\x52\xA1", sizeof key);
    pinmac_dukpt_aes_derive(cipher, key, ksn);
    good &= memcmp(key, "\x4F\x21\xB5\x65\xBA\xD9\x83\x5E\x11\x2B\x64\x65\x63\x5E\xAE\x44", sizeof key) == 0;
    pinmac_dukpt_aes_session(cipher, key, ksn, PINMAC_DUKPT_PIN);
    good &= memcmp(key, "\xAF\x8C\xB1\x33\xA7\x8F\x8D\xC2\xD1\x35\x9F\x18\x52\x75\x93\xFB", sizeof key) == 0;
    return good;
}

// RSA, by arithmetic: with m = 2^512 - 1 (odd), (2^256)^3 = 2^768 = 2^256 modulo m.
static bool test_rsa(void) {
    enum { SIZE = 64 };
    uint8_t modulus[SIZE], data[SIZE] = {0};
    memset(modulus, 0xFF, sizeof modulus);
    data[SIZE / 2 - 1] = 1;
    bool good = pinmac_rsa_public(&pinmac_work.rsa, modulus, sizeof modulus, 3, data);
    data[SIZE / 2 - 1] ^= 1;
    for (unsigned i = 0; i < SIZE; i++) {
        good &= data[i] == 0;
    }
    return good;
}

// A block made by psec 1.3.0 under the bytes 00 to 1F, and what it holds.
static bool test_key_block(void) {
    static const char block[] = "D0112P0TE00N0000"
        "ACC1812F37264766A7705E336C5DB4FA692C6AAB7CAB5353A0958D5485682346"
        "25EC8FEA8658065969ADE3B998938142";
    static const char value[] = "\x80\x7A\x23\xAD\x32\xB3\x6D\x45\x7A\xE9\x1F\xDF\x92\x75\x70\xEA";
    struct pinmac_key *key = &pinmac_work.keys.incoming, *protection = &pinmac_work.keys.session;
    protection->algorithm = PINMAC_AES;
    protection->size = 32;
    for (uint8_t i = 0; i < 32; i++) {
        protection->value[i] = i;
    }
    bool good = pinmac_tr31_unwrap(protection, block, sizeof block - 1, key);
    return good && memcmp(key->value, value, 16) == 0;
}

// The health tests of NIST SP 800-90B 4.4 over 1,024 consecutive bytes at start-up (4.3): the repetition
// count test and the adaptive proportion test, for a source of at least one bit of entropy a byte and a
// false alarm of 2^-20 (repetitions 1 + 20 / 1; 311 of 512 by the binomial, as in its section 4.4.2).
// Beside them, a source that answers two requests alike has failed.
static bool test_entropy(void) {
    enum { SAMPLES = 1024, PIECE = PINMAC_KEY_MAX, WINDOW = 512, REPEATS_MAX = 20, PROPORTION_MAX = 310 };
    uint8_t *piece = pinmac_work.keys.incoming.value, *before = pinmac_work.keys.session.value;
    uint8_t last = 0, first = 0;
    unsigned repeats = 0, proportion = 0;
    bool good = true;
    for (unsigned i = 0; i < SAMPLES && good; i++) {
        if (i % PIECE == 0) {
            memcpy(before, piece, PIECE);
            good = pinmac_random(piece, PIECE) == PINMAC_OK && !pinmac_equal(piece, before, PIECE);
        }
        uint8_t sample = piece[i % PIECE];
        PINMAC_DECLASSIFY(sample); // thrown away after the test
        repeats = sample == last ? repeats + 1 : 1;
        last = sample;
        first = i % WINDOW == 0 ? sample : first;
        proportion = i % WINDOW == 0 ? 1 : proportion + (sample == first);
        good &= repeats <= REPEATS_MAX && proportion <= PROPORTION_MAX;
    }
    return good;
}

enum pinmac_result pinmac_self_test(void) {
    bool good = test_ciphers();
    good &= test_cmac();
    good &= test_mac_cup();
    good &= test_cbc_macs();
    good &= test_pin_blocks();
    good &= test_dukpt();
    good &= test_rsa();
    good &= test_key_block();
    good &= test_entropy();
    verdict = good ? PASSED : FAILED;
    return pinmac_work_end(good ? PINMAC_OK : PINMAC_SELF_TEST_FAILED);
}

enum pinmac_result pinmac_self_tested(void) {
    if (verdict == NOT_TESTED) {
        return pinmac_self_test();
    }
    return verdict == PASSED ? PINMAC_OK : PINMAC_SELF_TEST_FAILED;
}
