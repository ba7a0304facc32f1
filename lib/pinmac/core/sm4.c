// SM4 (GB/T 32907-2016) whose timing and addresses are the same for every key and block.
#include "sm4.h"

#include "planes.h"
#include "secure.h"

// The S-box of the standard's 6.2 a) is A(A(x)^-1) modulo x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1, where bit i
// of A(x) is x_i + x_i+1 + x_i+2 + x_i+5 + x_i+7 (numbers modulo 8) plus bit i of D3. The standard prints
// only the table; the tests compare all of it. Here x is 3B in the tower of planes.c.
static const struct pinmac_s_box s_box = {
    {0xA3, 0xC5, 0x6A, 0x5D, 0x5C, 0xE6, 0xB5, 0xD8}, 0xC6,
    {0xF9, 0x24, 0x46, 0x2D, 0x32, 0x55, 0x08, 0x9D}, 0xD3,
};

// The system parameter FK, 7.3 a).
static const uint32_t family_key[4] = {0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC};

static uint32_t rotate_left(uint32_t word, unsigned count) {
    return word << count | word >> (32 - count);
}

static void load(uint32_t words[4], const uint8_t block[16]) {
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *b = block + 4 * i;
        words[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
}

// The nonlinear transformation tau, 6.2 a): the S-box on each byte of a word.
static uint32_t substitute(uint32_t word) {
    uint32_t words[4] = {word};
    pinmac_planes_turn(words);
    pinmac_planes_substitute(&s_box, words);
    pinmac_planes_turn(words);
    return words[0];
}

// The round constant CK, 7.3 b): byte j is (4i + j) * 7 modulo 256.
static uint32_t round_constant(unsigned i) {
    uint32_t constant = 0;
    for (unsigned j = 0; j < 4; j++) {
        constant = constant << 8 | ((4 * i + j) * 7 & 0xFF);
    }
    return constant;
}

// Key expansion, 7.3, with the linear transformation L'. The four words go around: after round i, word
// i modulo 4 is the newest.
void pinmac_sm4_init(struct pinmac_sm4 *sm4, const uint8_t key[PINMAC_SM4_KEY]) {
    uint32_t k[4];
    load(k, key);
    for (unsigned i = 0; i < 4; i++) {
        k[i] ^= family_key[i];
    }
    for (unsigned i = 0; i < PINMAC_SM4_ROUNDS; i++) {
        uint32_t b = substitute(k[(i + 1) % 4] ^ k[(i + 2) % 4] ^ k[(i + 3) % 4] ^ round_constant(i));
        k[i % 4] ^= b ^ rotate_left(b, 13) ^ rotate_left(b, 23);
        sm4->round_key[i] = k[i % 4];
    }
    pinmac_wipe(k, sizeof k);
}

// 7.1, with the round function F of 6.1 and the linear transformation L of 6.2 b). Decryption takes the
// round keys from the last to the first (7.2): their numbers are flipped.
static void sm4_block(const struct pinmac_sm4 *sm4, uint8_t block[PINMAC_SM4_BLOCK], unsigned flip) {
    uint32_t x[4];
    load(x, block);
    for (unsigned i = 0; i < PINMAC_SM4_ROUNDS; i++) {
        uint32_t b = substitute(x[(i + 1) % 4] ^ x[(i + 2) % 4] ^ x[(i + 3) % 4] ^ sm4->round_key[i ^ flip]);
        x[i % 4] ^= b ^ rotate_left(b, 2) ^ rotate_left(b, 10) ^ rotate_left(b, 18) ^ rotate_left(b, 24);
    }
    // The reverse substitution R: the last word is the first to leave.
    for (unsigned i = 0; i < PINMAC_SM4_BLOCK; i++) {
        block[i] = (uint8_t)(x[3 - i / 4] >> (24 - 8 * (i % 4)));
    }
    pinmac_wipe(x, sizeof x);
}

enum { FORWARD = 0, BACKWARD = PINMAC_SM4_ROUNDS - 1 };

void pinmac_sm4_encrypt(const struct pinmac_sm4 *sm4, uint8_t block[PINMAC_SM4_BLOCK]) {
    sm4_block(sm4, block, FORWARD);
}

void pinmac_sm4_decrypt(const struct pinmac_sm4 *sm4, uint8_t block[PINMAC_SM4_BLOCK]) {
    sm4_block(sm4, block, BACKWARD);
}
