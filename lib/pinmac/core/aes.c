// AES (FIPS 197) whose timing and addresses are the same for every key and block.
//
// The S-box is computed, not looked up: sixteen bytes are turned into eight bit planes, inverted in
// GF(2^8) as x^254 and sent through the affine map, all with AND and XOR.
#include "aes.h"

#include <string.h>

#include "secure.h"

// Plane i holds bit i of sixteen bytes.
struct planes {
    uint32_t bit[8];
};

// Transpose a matrix of 8 by 8 bits, a row a byte.
static uint64_t transpose(uint64_t rows) {
    uint64_t swapped = (rows ^ rows >> 7) & 0x00AA00AA00AA00AAu;
    rows ^= swapped ^ swapped << 7;
    swapped = (rows ^ rows >> 14) & 0x0000CCCC0000CCCCu;
    rows ^= swapped ^ swapped << 14;
    swapped = (rows ^ rows >> 28) & 0x00000000F0F0F0F0u;
    return rows ^ swapped ^ swapped << 28;
}

static struct planes slice(const uint8_t bytes[16]) {
    uint64_t low = 0, high = 0;
    for (unsigned i = 8; i-- > 0;) {
        low = low << 8 | bytes[i];
        high = high << 8 | bytes[8 + i];
    }
    low = transpose(low);
    high = transpose(high);
    struct planes planes;
    for (unsigned i = 0; i < 8; i++) {
        planes.bit[i] = (uint32_t)(low >> 8 * i & 0xFF) | (uint32_t)(high >> 8 * i & 0xFF) << 8;
    }
    return planes;
}

static void unslice(uint8_t bytes[16], const struct planes *planes) {
    uint64_t low = 0, high = 0;
    for (unsigned i = 8; i-- > 0;) {
        low = low << 8 | (planes->bit[i] & 0xFF);
        high = high << 8 | (planes->bit[i] >> 8 & 0xFF);
    }
    low = transpose(low);
    high = transpose(high);
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(low >> 8 * i);
        bytes[8 + i] = (uint8_t)(high >> 8 * i);
    }
}

// Modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197 4.2).
static struct planes reduce(uint32_t product[15]) {
    for (unsigned i = 14; i >= 8; i--) {
        product[i - 4] ^= product[i];
        product[i - 5] ^= product[i];
        product[i - 7] ^= product[i];
        product[i - 8] ^= product[i];
    }
    struct planes reduced;
    memcpy(reduced.bit, product, sizeof reduced.bit);
    return reduced;
}

static struct planes multiply(const struct planes *a, const struct planes *b) {
    uint32_t product[15] = {0};
    for (unsigned i = 0; i < 8; i++) {
        for (unsigned j = 0; j < 8; j++) {
            product[i + j] ^= a->bit[i] & b->bit[j];
        }
    }
    return reduce(product);
}

static struct planes square(const struct planes *a, unsigned times) {
    struct planes result = *a;
    while (times-- > 0) {
        uint32_t product[15] = {0};
        for (unsigned i = 0; i < 8; i++) {
            product[2 * i] = result.bit[i];
        }
        result = reduce(product);
    }
    return result;
}

// x^254, which is the inverse and takes 0 to 0: 254 = 15 * 16 + 12 + 2.
static struct planes invert(const struct planes *x) {
    struct planes x2 = square(x, 1);
    struct planes x3 = multiply(&x2, x);
    struct planes x12 = square(&x3, 2);
    struct planes x15 = multiply(&x12, &x3);
    struct planes x240 = square(&x15, 4);
    struct planes x252 = multiply(&x240, &x12);
    return multiply(&x252, &x2);
}

// FIPS 197 5.1.1, equation 5.1; the constant is {63}.
static void sub_bytes(uint8_t state[16]) {
    struct planes in = slice(state), out;
    in = invert(&in);
    for (unsigned i = 0; i < 8; i++) {
        out.bit[i] = in.bit[i] ^ in.bit[(i + 4) % 8] ^ in.bit[(i + 5) % 8] ^ in.bit[(i + 6) % 8] ^
            in.bit[(i + 7) % 8] ^ (0 - (0x63u >> i & 1));
    }
    unslice(state, &out);
}

// FIPS 197 5.3.2: the inverse affine map, whose constant is {05}, before the inverse.
static void inverse_sub_bytes(uint8_t state[16]) {
    struct planes in = slice(state), out;
    for (unsigned i = 0; i < 8; i++) {
        out.bit[i] = in.bit[(i + 2) % 8] ^ in.bit[(i + 5) % 8] ^ in.bit[(i + 7) % 8] ^ (0 - (0x05u >> i & 1));
    }
    out = invert(&out);
    unslice(state, &out);
}

// Row r of the state moves left by r columns (5.1.2); the inverse is to do it three times.
static void shift_rows(uint8_t state[16]) {
    uint8_t shifted[16];
    for (unsigned i = 0; i < 16; i++) {
        shifted[i] = state[(i + 4 * (i % 4)) % 16];
    }
    memcpy(state, shifted, 16);
}

static uint8_t xtime(uint8_t a) {
    return (uint8_t)(a << 1 ^ (0x1B & (0u - (a >> 7))));
}

// FIPS 197 5.1.3.
static void mix_columns(uint8_t state[16]) {
    for (unsigned c = 0; c < 16; c += 4) {
        uint8_t *s = state + c, first = s[0], all = (uint8_t)(s[0] ^ s[1] ^ s[2] ^ s[3]);
        for (unsigned r = 0; r < 4; r++) {
            uint8_t next = r == 3 ? first : s[r + 1];
            s[r] = (uint8_t)(s[r] ^ all ^ xtime((uint8_t)(s[r] ^ next)));
        }
    }
}

// FIPS 197 5.3.3 as a correction of the columns followed by the forward map:
// {0b}x^3 + {0d}x^2 + {09}x + {0e} = ({03}x^3 + x^2 + x + {02}) ({04}x^2 + {05}).
static void inverse_mix_columns(uint8_t state[16]) {
    for (unsigned c = 0; c < 16; c += 4) {
        uint8_t *s = state + c;
        uint8_t even = xtime(xtime((uint8_t)(s[0] ^ s[2])));
        uint8_t odd = xtime(xtime((uint8_t)(s[1] ^ s[3])));
        for (unsigned r = 0; r < 4; r += 2) {
            s[r] = (uint8_t)(s[r] ^ even);
            s[r + 1] = (uint8_t)(s[r + 1] ^ odd);
        }
    }
    mix_columns(state);
}

// FIPS 197 5.2, "Key expansion".
void pinmac_aes_init(struct pinmac_aes *aes, const uint8_t *key, size_t key_size) {
    unsigned key_words = (unsigned)(key_size / 4);
    aes->rounds = key_words + 6;
    uint8_t *expanded = aes->round_key[0];
    memcpy(expanded, key, key_size);
    uint8_t round_constant = 1;
    for (unsigned i = key_words; i < 4 * (aes->rounds + 1); i++) {
        uint8_t word[16] = {0};
        memcpy(word, expanded + 4 * (i - 1), 4);
        if (i % key_words == 0) {
            uint8_t first = word[0];
            memmove(word, word + 1, 3);
            word[3] = first;
        }
        if (i % key_words == 0 || (key_words > 6 && i % key_words == 4)) {
            sub_bytes(word);
        }
        if (i % key_words == 0) {
            word[0] = (uint8_t)(word[0] ^ round_constant);
            round_constant = xtime(round_constant);
        }
        pinmac_xor(word, expanded + 4 * (i - key_words), 4);
        memcpy(expanded + 4 * i, word, 4);
        pinmac_wipe(word, sizeof word);
    }
}

void pinmac_aes_encrypt(const struct pinmac_aes *aes, uint8_t block[PINMAC_AES_BLOCK]) {
    pinmac_xor(block, aes->round_key[0], 16);
    for (unsigned round = 1; round <= aes->rounds; round++) {
        sub_bytes(block);
        shift_rows(block);
        if (round < aes->rounds) {
            mix_columns(block);
        }
        pinmac_xor(block, aes->round_key[round], 16);
    }
}

void pinmac_aes_decrypt(const struct pinmac_aes *aes, uint8_t block[PINMAC_AES_BLOCK]) {
    for (unsigned round = aes->rounds; round > 0; round--) {
        pinmac_xor(block, aes->round_key[round], 16);
        if (round < aes->rounds) {
            inverse_mix_columns(block);
        }
        for (unsigned i = 0; i < 3; i++) {
            shift_rows(block);
        }
        inverse_sub_bytes(block);
    }
    pinmac_xor(block, aes->round_key[0], 16);
}
