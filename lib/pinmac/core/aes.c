// AES (FIPS 197) whose timing and addresses are the same for every key and block.
//
// The state stays in bit planes (planes.h) from the first round to the last: a row is a byte of each
// word, so ShiftRows turns nibbles and MixColumns turns words.
#include "aes.h"

#include "planes.h"
#include "secure.h"

// FIPS 197 5.1.1, equation 5.1, and 5.3.2. Modulo x^8 + x^4 + x^3 + x + 1, x is 02 in the tower of planes.c.
static const struct pinmac_s_box s_box = {
    {0x11, 0x02, 0x62, 0xC8, 0xCF, 0x58, 0x47, 0x5B}, 0x00,
    {0x52, 0x3E, 0x65, 0x60, 0x4D, 0x8C, 0xCE, 0x56}, 0x63,
};
static const struct pinmac_s_box inverse_s_box = {
    {0x8D, 0xF6, 0x81, 0x8A, 0x61, 0x9E, 0x96, 0x2B}, 0x73,
    {0xA2, 0x02, 0xB8, 0xDB, 0xA3, 0x5E, 0x58, 0x8B}, 0x00,
};

static uint32_t rotate_right(uint32_t word, unsigned count) {
    return word >> count | word << (32 - count);
}

static uint32_t load_column(const uint8_t bytes[4]) {
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static void load(uint32_t state[4], const uint8_t block[16]) {
    for (unsigned c = 0; c < 4; c++) {
        state[c] = load_column(block + 4 * c);
    }
    pinmac_planes_turn(state);
}

static void store(uint8_t block[16], uint32_t state[4]) {
    pinmac_planes_turn(state);
    for (unsigned i = 0; i < 16; i++) {
        block[i] = (uint8_t)(state[i / 4] >> 8 * (i % 4));
    }
}

static void add_round_key(uint32_t state[4], const uint32_t round_key[4]) {
    for (unsigned k = 0; k < 4; k++) {
        state[k] ^= round_key[k];
    }
}

// Row r of the state moves left by r columns (5.1.2); the inverse is to do it three times.
static void shift_rows(uint32_t state[4]) {
    for (unsigned k = 0; k < 4; k++) {
        uint32_t s = state[k];
        state[k] = (s & 0x000000FF) | (s >> 1 & 0x00007700) | (s << 3 & 0x00008800) |
            (s >> 2 & 0x00330000) | (s << 2 & 0x00CC0000) | (s >> 3 & 0x11000000) | (s << 1 & 0xEE000000);
    }
}

// Each byte times {02} (4.2.1): bit 7 comes back as bits 0, 1, 3 and 4.
static void xtime(uint32_t state[4]) {
    uint32_t last = state[3], bit7 = last >> 4 & 0x0F0F0F0F;
    state[3] = state[2] ^ bit7;
    state[2] = state[1];
    state[1] = state[0] ^ bit7;
    state[0] = (last << 4 & 0xF0F0F0F0) ^ bit7 ^ bit7 << 4;
}

// FIPS 197 5.1.3: {02}(s0 + s1) + s1 + s2 + s3 for each row s0 and those that follow it.
static void mix_columns(uint32_t state[4]) {
    uint32_t doubled[4];
    for (unsigned k = 0; k < 4; k++) {
        uint32_t next = rotate_right(state[k], 8), pair = state[k] ^ next;
        doubled[k] = pair;
        state[k] = next ^ rotate_right(pair, 16);
    }
    xtime(doubled);
    add_round_key(state, doubled);
}

// FIPS 197 5.3.3 as a correction of the columns followed by the forward map:
// {0b}x^3 + {0d}x^2 + {09}x + {0e} = ({03}x^3 + x^2 + x + {02}) ({04}x^2 + {05}).
static void inverse_mix_columns(uint32_t state[4]) {
    uint32_t correction[4];
    for (unsigned k = 0; k < 4; k++) {
        correction[k] = state[k] ^ rotate_right(state[k], 16);
    }
    xtime(correction);
    xtime(correction);
    add_round_key(state, correction);
    mix_columns(state);
}

static uint32_t sub_word(uint32_t word) {
    uint32_t words[4] = {word};
    pinmac_planes_turn(words);
    pinmac_planes_substitute(&s_box, words);
    pinmac_planes_turn(words);
    return words[0];
}

// FIPS 197 5.2, "Key expansion".
void pinmac_aes_init(struct pinmac_aes *aes, const uint8_t *key, size_t key_size) {
    unsigned key_words = (unsigned)(key_size / 4);
    aes->rounds = key_words + 6;
    uint32_t *expanded = aes->round_key[0];
    for (unsigned i = 0; i < key_words; i++) {
        expanded[i] = load_column(key + 4 * i);
    }
    // The powers of {02}, of which AES-128 takes the most: ten, up to {36}.
    uint32_t round_constant = 1;
    unsigned position = 0;  // i modulo key_words
    for (unsigned i = key_words; i < 4 * (aes->rounds + 1); i++) {
        uint32_t word = expanded[i - 1];
        if (position == 0) {
            word = sub_word(rotate_right(word, 8)) ^ round_constant;
            round_constant = round_constant << 1 ^ (0x11B & (0 - (round_constant >> 7)));
        } else if (key_words > 6 && position == 4) {
            word = sub_word(word);
        }
        expanded[i] = expanded[i - key_words] ^ word;
        position = position + 1 < key_words ? position + 1 : 0;
    }
    for (unsigned round = 0; round <= aes->rounds; round++) {
        pinmac_planes_turn(aes->round_key[round]);
    }
}

void pinmac_aes_encrypt(const struct pinmac_aes *aes, uint8_t block[PINMAC_AES_BLOCK]) {
    uint32_t state[4];
    load(state, block);
    add_round_key(state, aes->round_key[0]);
    for (unsigned round = 1; round <= aes->rounds; round++) {
        pinmac_planes_substitute(&s_box, state);
        shift_rows(state);
        if (round < aes->rounds) {
            mix_columns(state);
        }
        add_round_key(state, aes->round_key[round]);
    }
    store(block, state);
    pinmac_wipe(state, sizeof state);
}

void pinmac_aes_decrypt(const struct pinmac_aes *aes, uint8_t block[PINMAC_AES_BLOCK]) {
    uint32_t state[4];
    load(state, block);
    for (unsigned round = aes->rounds; round > 0; round--) {
        add_round_key(state, aes->round_key[round]);
        if (round < aes->rounds) {
            inverse_mix_columns(state);
        }
        for (unsigned i = 0; i < 3; i++) {
            shift_rows(state);
        }
        pinmac_planes_substitute(&inverse_s_box, state);
    }
    add_round_key(state, aes->round_key[0]);
    store(block, state);
    pinmac_wipe(state, sizeof state);
}
