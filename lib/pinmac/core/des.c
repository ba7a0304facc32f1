// DES and TDES (FIPS 46-3; NIST SP 800-67) whose timing and addresses are the same for every key and block.
//
// An S-box is read as a tree of selections: all of its eight words are loaded, and the bits of the
// index choose by masks. The permutations turn words by amounts from public tables.
#include "des.h"

// A permutation of a word as rotations: the output bits of each mask are those of the input turned
// left by so many places. tests/oracle/test_pinmac_des.py compares them with the printed tables.
struct turn {
    uint32_t mask;
    uint32_t left;
};
static const struct turn permutation_p[] = {
    {0x00000020, 3}, {0x00040000, 4}, {0x40402402, 5}, {0x04000000, 6}, {0x01000000, 9},
    {0x00000010, 10}, {0x00000800, 11}, {0x00200200, 12}, {0x00000004, 13}, {0x00100000, 14},
    {0x80000000, 15}, {0x00020000, 16}, {0x30008100, 17}, {0x00000040, 19}, {0x02000000, 21},
    {0x00004000, 22}, {0x08880000, 24}, {0x00000009, 25}, {0x00011080, 26},
};
// Permuted choice 2: from the halves C and D, 28 bits at the bottom of a word, 24 bits each.
static const struct turn permuted_choice_2_c[] = {
    {0x00000400, 1}, {0x00008008, 2}, {0x00200000, 4}, {0x00000080, 5}, {0x00002801, 6},
    {0x00800000, 9}, {0x00400000, 11}, {0x00000010, 15}, {0x00110100, 16}, {0x00000042, 18},
    {0x000A4000, 24}, {0x00000220, 25}, {0x00001004, 26}, {0x00040000, 27},
};
static const struct turn permuted_choice_2_d[] = {
    {0x00010000, 0}, {0x00100000, 1}, {0x00004440, 3}, {0x00001000, 4}, {0x00000002, 6},
    {0x00800101, 8}, {0x00088000, 10}, {0x00000004, 14}, {0x00040080, 17}, {0x00400000, 18},
    {0x00002010, 22}, {0x00020000, 23}, {0x00000200, 24}, {0x00000020, 27}, {0x00200000, 28},
    {0x00000008, 29}, {0x00000800, 31},
};

// Numbers bits as the standard does: 1 is the leftmost of the key.
static const uint8_t permuted_choice_1[56] = {
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18,
    10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22,
    14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
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

static uint32_t load(const uint8_t bytes[4]) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store(uint8_t bytes[4], uint32_t word) {
    for (unsigned i = 4; i-- > 0;) {
        bytes[i] = (uint8_t)word;
        word >>= 8;
    }
}

static uint32_t rotate_left(uint32_t word, unsigned count) {
    count &= 31;
    return word << count | word >> ((32 - count) & 31);
}

static uint32_t permute(uint32_t word, const struct turn *turns, size_t count) {
    uint32_t out = 0;
    for (size_t i = 0; i < count; i++) {
        out |= rotate_left(word, turns[i].left) & turns[i].mask;
    }
    return out;
}
#define PERMUTE(word, turns) permute(word, turns, sizeof(turns) / sizeof((turns)[0]))

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
    return PERMUTE(substituted, permutation_p);
}

// The initial permutation as exchanges between the halves: the bits of half `from` under mask << shift
// with those of the other half under the mask. The final one undoes them.
enum { EXCHANGES = 5 };
static const struct {
    uint8_t from;
    uint8_t shift;
    uint32_t mask;
} exchanges[EXCHANGES] = {
    {0, 4, 0x0F0F0F0F}, {0, 16, 0x0000FFFF}, {1, 2, 0x33333333}, {1, 8, 0x00FF00FF}, {0, 1, 0x55555555}};

static void exchange(uint32_t half[2], unsigned step) {
    unsigned from = exchanges[step].from, shift = exchanges[step].shift;
    uint32_t changed = (half[from] >> shift ^ half[1 - from]) & exchanges[step].mask;
    half[1 - from] ^= changed;
    half[from] ^= changed << shift;
}

static void des_block(const struct pinmac_des_schedule *schedule, uint8_t block[8], unsigned flip) {
    uint32_t half[2] = {load(block), load(block + 4)};
    for (unsigned step = 0; step < EXCHANGES; step++) {
        exchange(half, step);
    }
    for (unsigned i = 0; i < PINMAC_DES_ROUNDS; i++) {
        uint32_t next = half[0] ^ cipher_function(half[1], schedule->round[i ^ flip]);
        half[0] = half[1];
        half[1] = next;
    }
    // The halves change places at the end (FIPS 46-3: R16 L16).
    uint32_t turned[2] = {half[1], half[0]};
    for (unsigned step = EXCHANGES; step-- > 0;) {
        exchange(turned, step);
    }
    store(block, turned[0]);
    store(block + 4, turned[1]);
}

static void schedule_init(struct pinmac_des_schedule *schedule, const uint8_t key[8]) {
    uint32_t c = 0, d = 0;
    for (unsigned i = 0; i < 28; i++) {
        unsigned c_bit = permuted_choice_1[i] - 1u, d_bit = permuted_choice_1[28 + i] - 1u;
        c = c << 1 | (key[c_bit / 8] >> (7 - c_bit % 8) & 1u);
        d = d << 1 | (key[d_bit / 8] >> (7 - d_bit % 8) & 1u);
    }
    for (unsigned i = 0; i < PINMAC_DES_ROUNDS; i++) {
        c = (c << left_shifts[i] | c >> (28 - left_shifts[i])) & 0x0FFFFFFF;
        d = (d << left_shifts[i] | d >> (28 - left_shifts[i])) & 0x0FFFFFFF;
        uint32_t high = PERMUTE(c, permuted_choice_2_c), low = PERMUTE(d, permuted_choice_2_d);
        for (unsigned group = 4; group-- > 0;) {
            schedule->round[i][group] = (uint8_t)(high & 0x3F);
            schedule->round[i][4 + group] = (uint8_t)(low & 0x3F);
            high >>= 6;
            low >>= 6;
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
