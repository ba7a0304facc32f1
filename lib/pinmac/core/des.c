// DES and TDES (FIPS 46-3; NIST SP 800-67) whose timing and addresses are the same for every key and block.
//
// An S-box is read as a tree of selections: all of its eight words are loaded, and the bits of the
// index choose by masks. The permutations shift by amounts from public tables.
#include "des.h"

#include "secure.h"

// The tables number bits as the standard does: 1 is the leftmost.
static const uint8_t initial_permutation[64] = {
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4,
    62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8,
    57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3,
    61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
};
static const uint8_t final_permutation[64] = {
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31,
    38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21, 61, 29,
    36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27,
    34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
};
static const uint8_t permutation_p[32] = {
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
};
static const uint8_t permuted_choice_1[56] = {
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18,
    10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22,
    14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
};
static const uint8_t permuted_choice_2[48] = {
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4,
    26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30, 40,
    51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
};
static const uint8_t left_shifts[PINMAC_DES_ROUNDS] = {1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1};

// As printed in the standard: four rows of sixteen columns, eight hexadecimal digits a word.
static const uint32_t s_boxes[8][8] = {
    {0xE4D12FB8, 0x3A6C5907, 0x0F74E2D1, 0xA6CB9538, 0x41E8D62B, 0xFC973A50, 0xFC824917, 0x5B3EA06D},
    {0xF18E6B34, 0x972DC05A, 0x3D47F28E, 0xC01A69B5, 0x0E7BA4D1, 0x58C6932F, 0xD8A13F42, 0xB67C05E9},
    {0xA09E63F5, 0x1DC7B428, 0xD709346A, 0x285ECBF1, 0xD6498F30, 0xB12C5AE7, 0x1AD06987, 0x4FE3B52C},
    {0x7DE3069A, 0x1285BC4F, 0xD8B56F03, 0x472C1AE9, 0xA690CB7D, 0xF13E5284, 0x3F06A1D8, 0x945BC72E},
    {0x2C417AB6, 0x853FD0E9, 0xEB2C47D1, 0x50FA3986, 0x421BAD78, 0xF9C5630E, 0xB8C71E2D, 0x6F09A453},
    {0xC1AF9268, 0x0D34E75B, 0xAF427C95, 0x61DE0B38, 0x9EF528C3, 0x704A1DB6, 0x432C95FA, 0xBE17608D},
    {0x4B2EF08D, 0x3C975A61, 0xD0B7491A, 0xE35C2F86, 0x14BDC37E, 0xAF680592, 0x6BD814A7, 0x950FE23C},
    {0xD2846FB1, 0xA93E50C7, 0x1FD8A374, 0xC56B0E92, 0x7B419CE2, 0x06ADF358, 0x21E74A8D, 0xFC90356B},
};

static uint64_t load(const uint8_t block[8]) {
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) {
        word = word << 8 | block[i];
    }
    return word;
}

static void store(uint8_t block[8], uint64_t word) {
    for (unsigned i = 8; i-- > 0;) {
        block[i] = (uint8_t)word;
        word >>= 8;
    }
}

static uint64_t permute(uint64_t in, unsigned in_bits, const uint8_t *table, unsigned out_bits) {
    uint64_t out = 0;
    for (unsigned i = 0; i < out_bits; i++) {
        out = out << 1 | (in >> (in_bits - table[i]) & 1);
    }
    return out;
}

static uint32_t rotate_left(uint32_t word, unsigned count) {
    count &= 31;
    return word << count | word >> ((32 - count) & 31);
}

// `one` where the bit (0 or 1) is set, else `zero`.
static uint32_t choose(uint32_t zero, uint32_t one, uint32_t bit) {
    return zero ^ ((zero ^ one) & (0 - bit));
}

// S_n of a six-bit input b1..b6: row b1 b6, column b2 b3 b4 b5 (FIPS 46-3, "The primitive functions").
static uint32_t substitute(const uint32_t box[8], uint32_t input) {
    uint32_t b1 = input >> 5 & 1, b2 = input >> 4 & 1, b6 = input & 1;
    uint32_t half[2];
    for (unsigned i = 0; i < 2; i++) {
        half[i] = choose(choose(box[i], box[2 + i], b6), choose(box[4 + i], box[6 + i], b6), b1);
    }
    uint32_t columns = choose(half[0], half[1], b2);
    columns = choose(columns >> 16, columns, input >> 3 & 1);
    columns = choose(columns >> 8, columns, input >> 2 & 1);
    return choose(columns >> 4, columns, input >> 1 & 1) & 0xF;
}

static uint32_t cipher_function(uint32_t right, const uint8_t round_key[8]) {
    uint32_t substituted = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t expanded = rotate_left(right, 4 * i + 5) & 0x3F;
        substituted = substituted << 4 | substitute(s_boxes[i], expanded ^ round_key[i]);
    }
    return (uint32_t)permute(substituted, 32, permutation_p, 32);
}

static void des_block(const struct pinmac_des_schedule *schedule, uint8_t block[8], unsigned flip) {
    uint64_t word = permute(load(block), 64, initial_permutation, 64);
    uint32_t left = (uint32_t)(word >> 32), right = (uint32_t)word;
    for (unsigned i = 0; i < PINMAC_DES_ROUNDS; i++) {
        uint32_t next = left ^ cipher_function(right, schedule->round[i ^ flip]);
        left = right;
        right = next;
    }
    store(block, permute((uint64_t)right << 32 | left, 64, final_permutation, 64));
}

static void schedule_init(struct pinmac_des_schedule *schedule, const uint8_t key[8]) {
    uint64_t chosen = permute(load(key), 64, permuted_choice_1, 56);
    uint32_t c = (uint32_t)(chosen >> 28) & 0x0FFFFFFF, d = (uint32_t)chosen & 0x0FFFFFFF;
    for (unsigned i = 0; i < PINMAC_DES_ROUNDS; i++) {
        c = (c << left_shifts[i] | c >> (28 - left_shifts[i])) & 0x0FFFFFFF;
        d = (d << left_shifts[i] | d >> (28 - left_shifts[i])) & 0x0FFFFFFF;
        uint64_t round = permute((uint64_t)c << 28 | d, 56, permuted_choice_2, 48);
        for (unsigned group = 8; group-- > 0;) {
            schedule->round[i][group] = (uint8_t)(round & 0x3F);
            round >>= 6;
        }
    }
}

void pinmac_tdes_init(struct pinmac_tdes *tdes, const uint8_t *key, size_t key_size) {
    tdes->keys = (unsigned)(key_size / 8);
    for (unsigned i = 0; i < tdes->keys; i++) {
        schedule_init(&tdes->schedule[i], key + 8 * i);
    }
}

enum { FORWARD = 0, BACKWARD = PINMAC_DES_ROUNDS - 1 };

void pinmac_tdes_encrypt_first(const struct pinmac_tdes *tdes, uint8_t block[PINMAC_DES_BLOCK]) {
    des_block(&tdes->schedule[0], block, FORWARD);
}

void pinmac_tdes_encrypt(const struct pinmac_tdes *tdes, uint8_t block[PINMAC_DES_BLOCK]) {
    pinmac_tdes_encrypt_first(tdes, block);
    if (tdes->keys > 1) {
        des_block(&tdes->schedule[1], block, BACKWARD);
        des_block(&tdes->schedule[tdes->keys == 3 ? 2 : 0], block, FORWARD);
    }
}

void pinmac_tdes_decrypt(const struct pinmac_tdes *tdes, uint8_t block[PINMAC_DES_BLOCK]) {
    if (tdes->keys > 1) {
        des_block(&tdes->schedule[tdes->keys == 3 ? 2 : 0], block, BACKWARD);
        des_block(&tdes->schedule[1], block, FORWARD);
    }
    des_block(&tdes->schedule[0], block, BACKWARD);
}
