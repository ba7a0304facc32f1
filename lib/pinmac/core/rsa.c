// RSA by Montgomery multiplication, in a time that depends on the modulus and the exponent alone.
//
// With R = 2^(28 limbs), a number x is kept as x R: the product of two such numbers, divided by R, is
// one again, and to divide by R takes no division (Montgomery 1985).
//
// A word holds a limb of 28 bits, so that a sum's carry is a shift. Where words are full, the carry is
// a comparison, and processors without a flag or an instruction for it (Xtensa) branch on its result.
#include "rsa.h"

#include <string.h>

#include "secure.h"

enum { LIMB_BITS = PINMAC_RSA_LIMB_BITS, SPARE_BITS = 32 - LIMB_BITS };
#define LIMB_MASK (((uint32_t)1 << LIMB_BITS) - 1)

// A limb is seven hexadecimal digits.
static void load(uint32_t number[PINMAC_RSA_LIMBS], const uint8_t *bytes, size_t size) {
    size_t digit = 0;
    for (unsigned i = 0; i < PINMAC_RSA_LIMBS; i++) {
        number[i] = 0;
        for (unsigned shift = 0; shift < LIMB_BITS && digit < 2 * size; shift += 4, digit++) {
            uint32_t byte = bytes[size - 1 - digit / 2];
            number[i] |= (byte >> 4 * (digit % 2) & 0xF) << shift;
        }
    }
}

static void store(uint8_t *bytes, const uint32_t number[PINMAC_RSA_LIMBS], size_t size) {
    size_t digit = 0;
    for (unsigned i = 0; i < PINMAC_RSA_LIMBS; i++) {
        for (unsigned shift = 0; shift < LIMB_BITS && digit < 2 * size; shift += 4, digit++) {
            uint8_t *byte = &bytes[size - 1 - digit / 2];
            uint32_t value = number[i] >> shift & 0xF;
            *byte = (uint8_t)(digit % 2 == 0 ? value : *byte | value << 4);
        }
    }
}

// difference = number - modulus; the borrow, 1 where the number is the smaller.
static uint32_t subtract_modulus(
    const struct pinmac_rsa *work, uint32_t *difference, const uint32_t *number) {
    uint32_t borrow = 0;
    for (uint32_t i = 0; i < work->limbs; i++) {
        uint32_t limb = number[i] - work->modulus[i] - borrow;
        difference[i] = limb & LIMB_MASK;
        borrow = limb >> 31;
    }
    return borrow;
}

// Bring a number below twice the modulus, `top` being its bit above the limbs, below the modulus.
static void reduce(const struct pinmac_rsa *work, uint32_t *reduced, const uint32_t *number, uint32_t top) {
    uint32_t smaller = 0 - (subtract_modulus(work, reduced, number) & ~top);
    for (uint32_t i = 0; i < work->limbs; i++) {
        reduced[i] ^= (reduced[i] ^ number[i]) & smaller;
    }
}

// number = number times 2^times modulo the modulus.
static void shift(struct pinmac_rsa *work, uint32_t *number, unsigned times) {
    while (times-- > 0) {
        uint32_t carry = 0;
        for (uint32_t i = 0; i < work->limbs; i++) {
            uint32_t limb = number[i] << 1 | carry;
            work->product[i] = limb & LIMB_MASK;
            carry = limb >> LIMB_BITS;
        }
        reduce(work, number, work->product, carry);
    }
}

// a = a b / R modulo the modulus. The product and the reduction advance together, limb by limb (FIOS of
// Koc, Acar and Kaliski 1996); each turn moves the sum, which is product[1] and upwards, down by a limb.
// A factor shifted up by the spare bits puts the product's upper limb into the upper word.
static void multiply(struct pinmac_rsa *work, uint32_t *a, const uint32_t *b) {
    uint32_t limbs = work->limbs, *product = work->product;
    memset(product, 0, sizeof work->product);
    for (uint32_t i = 0; i < limbs; i++) {
        uint32_t factor = b[i] << SPARE_BITS;
        uint32_t reducing_factor = (product[1] + a[0] * b[i]) * work->inverse << SPARE_BITS;
        uint32_t carry = 0;
        for (uint32_t j = 0; j < limbs; j++) {
            uint64_t added = (uint64_t)a[j] * factor;
            uint64_t reducing = (uint64_t)work->modulus[j] * reducing_factor;
            uint32_t sum = ((uint32_t)added >> SPARE_BITS) + ((uint32_t)reducing >> SPARE_BITS) +
                product[j + 1] + carry;
            product[j] = sum & LIMB_MASK;
            carry = (uint32_t)(added >> 32) + (uint32_t)(reducing >> 32) + (sum >> LIMB_BITS);
        }
        carry += product[limbs + 1];
        product[limbs] = carry & LIMB_MASK;
        product[limbs + 1] = carry >> LIMB_BITS;
    }
    reduce(work, a, product + 1, product[limbs + 1]);
}

// By Newton's iteration: an odd number is its own inverse modulo 8, and each turn doubles the bits.
static uint32_t negated_inverse(uint32_t odd) {
    uint32_t inverse = odd;
    for (unsigned bits = 3; bits < LIMB_BITS; bits *= 2) {
        inverse *= 2 - odd * inverse;
    }
    return 0 - inverse;
}

static unsigned highest_bit(uint32_t word) {
    unsigned bit = 31;
    while (word >> bit == 0) {
        bit--;
    }
    return bit;
}

// power = R^2 modulo the modulus: 2^28 R, to be squared and shifted as the bits of `limbs` say.
static void square_of_r(struct pinmac_rsa *work) {
    uint32_t *power = work->power, last = work->limbs - 1;
    memset(power, 0, sizeof work->power);
    // The highest bit of the modulus by itself is below the modulus. Shift it up to 2^28 R.
    unsigned bit = highest_bit(work->modulus[last]);
    power[last] = (uint32_t)1 << bit;
    shift(work, power, 2 * LIMB_BITS - bit);
    for (bit = highest_bit(work->limbs); bit-- > 0;) {
        multiply(work, power, power);
        shift(work, power, LIMB_BITS * (work->limbs >> bit & 1));
    }
}

bool pinmac_rsa_public(
    struct pinmac_rsa *work, const uint8_t *modulus, size_t size, uint32_t exponent, uint8_t *data) {
    if (size < PINMAC_RSA_MIN || size > PINMAC_RSA_MAX || modulus[0] == 0 || modulus[size - 1] % 2 == 0) {
        return false;
    }
    work->limbs = PINMAC_RSA_LIMBS;
    load(work->modulus, modulus, size);
    load(work->base, data, size);
    uint32_t smaller = subtract_modulus(work, work->product, work->base);
    PINMAC_DECLASSIFY(smaller);
    if (smaller == 0) {
        return false;
    }
    while (work->modulus[work->limbs - 1] == 0) {
        work->limbs--;
    }
    work->inverse = negated_inverse(work->modulus[0]);
    square_of_r(work);
    multiply(work, work->base, work->power);
    memcpy(work->power, work->base, sizeof work->power);
    for (unsigned squarings = highest_bit(exponent); squarings > 0; squarings--) {
        multiply(work, work->power, work->power);
    }
    // The last factor is the data itself, not times R: the result is not, either.
    load(work->base, data, size);
    multiply(work, work->power, work->base);
    store(data, work->power, size);
    return true;
}
