// The S-boxes of AES and SM4 on sixteen bytes at once, by AND and XOR alone: no table is read at an
// index that depends on a secret.
//
// Sixteen bytes are four columns of four, as in FIPS 197 3.4. As planes they are four words: bit 8r + c
// of word k is bit k of the byte in row r of column c, and bit 8r + 4 + c its bit k + 4.
#ifndef PINMAC_PLANES_H
#define PINMAC_PLANES_H

#include <stdint.h>

// Columns (the byte of row r in bits 8r to 8r + 7) into planes, or planes into columns, in place.
void pinmac_planes_turn(uint32_t words[4]);

// An S-box: an affine map, the inverse in GF(2^8), another affine map. Entry i of a map is the image of
// bit i. The inverse is taken in the representation that planes.c describes, so the maps change to it
// and back as well.
struct pinmac_s_box {
    uint8_t before[8], before_constant;
    uint8_t after[8], after_constant;
};

// Send each of the sixteen bytes through the S-box.
void pinmac_planes_substitute(const struct pinmac_s_box *box, uint32_t planes[4]);

#endif
