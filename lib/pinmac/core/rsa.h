// The RSA public operation (EMV Book 2, B2.1; PKCS #1, RSAEP) on moduli of 512 to 2048 bits.
#ifndef PINMAC_RSA_H
#define PINMAC_RSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PINMAC_RSA_MIN = 64,
    PINMAC_RSA_MAX = 256,
    PINMAC_RSA_LIMB_BITS = 28,
    PINMAC_RSA_LIMBS = (8 * PINMAC_RSA_MAX + PINMAC_RSA_LIMB_BITS - 1) / PINMAC_RSA_LIMB_BITS,
};

// Working memory, 1,200 bytes. A number is a row of limbs of 28 bits, the lowest first. Wipe it after use.
struct pinmac_rsa {
    uint32_t limbs;    // of the modulus, up to the highest that is not zero
    uint32_t inverse;  // -1 / modulus modulo 2^28
    uint32_t modulus[PINMAC_RSA_LIMBS];
    uint32_t base[PINMAC_RSA_LIMBS];
    uint32_t power[PINMAC_RSA_LIMBS];
    uint32_t product[PINMAC_RSA_LIMBS + 2];
};

// data = data^exponent modulo modulus, in place; both of `size` bytes, big-endian. The exponent is a power
// of two plus one, as EMV's 3 and 65537 (Book 2, B2.1) are. Modulus and exponent are public; no branch and no address depends on the data, but whether
// it is smaller than the modulus shows.
// False, and the data is as it was: a size not from 64 to 256, a modulus that is even or begins with a
// zero byte, data not smaller than the modulus.
bool pinmac_rsa_public(
    struct pinmac_rsa *work, const uint8_t *modulus, size_t size, uint32_t exponent, uint8_t *data);

#endif
