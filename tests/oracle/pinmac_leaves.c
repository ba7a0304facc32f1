// Runs the ciphers and RSA of pinmac's core with keys, blocks and data marked undefined for valgrind's
// memcheck: a branch or an address that depends on one is reported.
//
// With the argument "leak" it looks up a table at a secret index, so that the check itself is checked.
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "core/aes.h"
#include "core/rsa.h"
#include "core/sm4.h"

static uint8_t key[PINMAC_AES_KEY_MAX], block[16];

static void secrets(void) {
    memset(key, 0x5A, sizeof key);
    memset(block, 0xC3, sizeof block);
    VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
    VALGRIND_MAKE_MEM_UNDEFINED(block, sizeof block);
}

static void use_aes(size_t key_size) {
    struct pinmac_aes aes;
    secrets();
    pinmac_aes_init(&aes, key, key_size);
    pinmac_aes_encrypt(&aes, block);
    pinmac_aes_decrypt(&aes, block);
}

static void use_sm4(void) {
    struct pinmac_sm4 sm4;
    secrets();
    pinmac_sm4_init(&sm4, key);
    pinmac_sm4_encrypt(&sm4, block);
    pinmac_sm4_decrypt(&sm4, block);
}

static bool use_rsa(size_t size, uint32_t exponent, uint8_t fill) {
    static struct pinmac_rsa rsa;
    uint8_t modulus[PINMAC_RSA_MAX], data[PINMAC_RSA_MAX];
    memset(modulus, 0xB7, sizeof modulus);
    memset(data, fill, sizeof data);
    VALGRIND_MAKE_MEM_UNDEFINED(data, sizeof data);
    return pinmac_rsa_public(&rsa, modulus, size, exponent, data);
}

int main(int count, char **arguments) {
    for (size_t size = 16; size <= PINMAC_AES_KEY_MAX; size += 8) {
        use_aes(size);
    }
    use_sm4();
    bool right = use_rsa(64, 3, 0x31) && use_rsa(145, 65537, 0x31) && use_rsa(256, 65537, 0xB6) &&
        !use_rsa(128, 3, 0xB7);
    if (count > 1 && strcmp(arguments[1], "leak") == 0) {
        static const char table[256] = "a table";
        secrets();
        putchar(table[block[0]]);
    }
    return right ? 0 : 1;
}
