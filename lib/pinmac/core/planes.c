// Substitution in bit planes.
//
// Inversion is cheap in a tower of fields: GF(2^4) is the polynomials modulo t^4 + t + 1, GF(2^8) the
// sums a W + b Y over it, where Y and W are the roots of y^2 + y + t^3 (a normal basis). A byte holds a
// in its high and b in its low nibble. Every GF(2^8) is this one under another name; the maps of an
// S-box translate.
#include "planes.h"

#include <string.h>

// Exchange the bits of *a under `mask` << shift with those of *b under `mask`.
static void exchange(uint32_t *a, uint32_t *b, unsigned shift, uint32_t mask) {
    uint32_t difference = (*a >> shift ^ *b) & mask;
    *b ^= difference;
    *a ^= difference << shift;
}

// The two bits of the column's number change places with the two low bits of the bit's number.
void pinmac_planes_turn(uint32_t words[4]) {
    exchange(&words[0], &words[1], 1, 0x55555555);
    exchange(&words[2], &words[3], 1, 0x55555555);
    exchange(&words[0], &words[2], 2, 0x33333333);
    exchange(&words[1], &words[3], 2, 0x33333333);
}

// Bit 0 of an image as a mask of the low nibbles, bit 4 as one of the high nibbles.
static uint32_t mask(unsigned image) {
    return (image & 0x11u) * 0x0F0F0F0Fu;
}

static void map(const uint8_t images[8], unsigned constant, uint32_t planes[4]) {
    uint32_t bits04 = mask(constant), bits15 = mask(constant >> 1);
    uint32_t bits26 = mask(constant >> 2), bits37 = mask(constant >> 3);
    for (unsigned i = 0; i < 8; i++) {
        unsigned image = images[i];
        uint32_t plane = planes[i % 4] >> (i & 4) & 0x0F0F0F0F;
        plane |= plane << 4;
        bits04 ^= plane & mask(image);
        bits15 ^= plane & mask(image >> 1);
        bits26 ^= plane & mask(image >> 2);
        bits37 ^= plane & mask(image >> 3);
    }
    planes[0] = bits04;
    planes[1] = bits15;
    planes[2] = bits26;
    planes[3] = bits37;
}

// a = a b in GF(2^4), nibble by nibble.
static void multiply(uint32_t a[4], const uint32_t b[4]) {
    uint32_t t4 = (a[1] & b[3]) ^ (a[2] & b[2]) ^ (a[3] & b[1]);
    uint32_t t5 = (a[2] & b[3]) ^ (a[3] & b[2]);
    uint32_t t6 = a[3] & b[3];
    uint32_t t3 = (a[0] & b[3]) ^ (a[1] & b[2]) ^ (a[2] & b[1]) ^ (a[3] & b[0]);
    uint32_t t2 = (a[0] & b[2]) ^ (a[1] & b[1]) ^ (a[2] & b[0]);
    uint32_t t1 = (a[0] & b[1]) ^ (a[1] & b[0]);
    a[0] = (a[0] & b[0]) ^ t4;
    a[1] = t1 ^ t4 ^ t5;
    a[2] = t2 ^ t5 ^ t6;
    a[3] = t3 ^ t6;
}

static void square(uint32_t a[4]) {
    uint32_t a1 = a[1];
    a[0] ^= a[2];
    a[1] = a[2];
    a[2] = a1 ^ a[3];
}

// The inverse of x = a W + b Y is its conjugate b W + a Y over the norm x (b W + a Y), which lies in
// GF(2^4): t^3 (a + b)^2 + a b. Zero stays zero.
static void invert(uint32_t x[4]) {
    uint32_t conjugate[4], norm[4];
    for (unsigned k = 0; k < 4; k++) {
        conjugate[k] = (x[k] >> 4 & 0x0F0F0F0F) | (x[k] << 4 & 0xF0F0F0F0);
        norm[k] = x[k] ^ conjugate[k];
    }
    multiply(x, conjugate);
    square(norm);
    // Times t^3, plus a b.
    uint32_t n0 = norm[0], n3 = norm[3];
    norm[0] = x[0] ^ norm[1];
    norm[1] ^= x[1] ^ norm[2];
    norm[2] ^= x[2] ^ n3;
    norm[3] = x[3] ^ n0 ^ n3;
    // n^-1 = n^14 = n^2 n^4 n^8.
    memcpy(x, conjugate, sizeof conjugate);
    for (unsigned i = 0; i < 3; i++) {
        square(norm);
        multiply(x, norm);
    }
}

void pinmac_planes_substitute(const struct pinmac_s_box *box, uint32_t planes[4]) {
    map(box->before, box->before_constant, planes);
    invert(planes);
    map(box->after, box->after_constant, planes);
}
