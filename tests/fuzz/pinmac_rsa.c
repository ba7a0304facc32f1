// Fuzzes the RSA public operation: what is refused is left alone; results are below the modulus and
// keep to the laws that hold for every odd modulus and exponent.
#include "pinmac_bench.h"

// Bytes of a modulus here, from below what is taken to above it.
enum { SMALLEST = 48, LARGEST = SMALLEST + 255 };

// result = modulus - data, for data from 1 below the modulus.
static void negate(uint8_t *result, const uint8_t *modulus, const uint8_t *data, size_t size) {
    unsigned borrow = 0;
    for (size_t i = size; i-- > 0;) {
        unsigned difference = (unsigned)modulus[i] - data[i] - borrow;
        result[i] = (uint8_t)difference;
        borrow = difference >> 8 & 1;
    }
}

static bool is_zero(const uint8_t *data, size_t size) {
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++) {
        all |= data[i];
    }
    return all == 0;
}

static bool proper(const uint8_t *modulus, size_t size) {
    return size >= PINMAC_RSA_MIN && size <= PINMAC_RSA_MAX && modulus[0] != 0 && modulus[size - 1] % 2 == 1;
}

static void recover(const uint8_t *modulus, size_t size, uint32_t exponent, const uint8_t *data) {
    uint8_t result[LARGEST], other[LARGEST];
    memcpy(result, data, size);
    enum pinmac_result done = pinmac_rsa_recover(modulus, size, exponent, result, size);
    bool should = (exponent == 3 || exponent == 65537) && proper(modulus, size) && memcmp(data, modulus, size) < 0;
    HOLDS((done == PINMAC_OK) == should);
    if (!should) {
        HOLDS(memcmp(result, data, size) == 0);
        return;
    }
    HOLDS(memcmp(result, modulus, size) < 0);
    HOLDS(!is_zero(data, size) || is_zero(result, size));
    if (!is_zero(result, size)) {
        // (-x)^e = -(x^e) for an odd exponent.
        negate(other, modulus, data, size);
        HOLDS(pinmac_rsa_recover(modulus, size, exponent, other, size) == PINMAC_OK);
        negate(other, modulus, other, size);
        HOLDS(memcmp(other, result, size) == 0);
    }
}

// The same modulus for an offline PIN: taken or refused, the entry is over.
static void offline_pin(const uint8_t *modulus, size_t size, uint32_t exponent, const uint8_t *number) {
    uint8_t out[LARGEST];
    unsigned length;
    memset(out, 0xA5, sizeof out);
    HOLDS(pinmac_pin_begin(4, 12) == PINMAC_OK);
    for (unsigned digit = 1; digit <= 4; digit++) {
        HOLDS(pinmac_pin_digit(digit, &length) == PINMAC_OK && length == digit);
    }
    enum pinmac_result done =
        pinmac_pin_enciphered(modulus, size, exponent, number, PINMAC_UNPREDICTABLE_NUMBER, out);
    HOLDS(pinmac_pin_length(&length) == PINMAC_NO_PIN_ENTRY && length == 0);
    if (done == PINMAC_OK) {
        HOLDS(size >= PINMAC_PIN_MODULUS_MIN && size <= PINMAC_PIN_MODULUS_MAX && memcmp(out, modulus, size) < 0);
    } else {
        HOLDS(!proper(modulus, size) || (exponent != 3 && exponent != 65537) || modulus[0] <= 0x7F ||
            size < PINMAC_PIN_MODULUS_MIN || size > PINMAC_PIN_MODULUS_MAX);
    }
    for (size_t i = done == PINMAC_OK ? size : 0; i < sizeof out; i++) {
        HOLDS(out[i] == 0xA5);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint32_t exponents[] = {3, 65537, 3, 0, 1, 2, 5, 0xFFFFFFFF};
    struct bench_input input = {data, size};
    uint8_t number[PINMAC_UNPREDICTABLE_NUMBER];
    uint32_t exponent = exponents[bench_byte(&input) % 8];
    unsigned shape = bench_byte(&input);
    size_t modulus_size = (shape & 1) != 0 ? SMALLEST + bench_byte(&input) : PINMAC_RSA_MIN;
    uint8_t *modulus = malloc(modulus_size), *base = malloc(modulus_size);
    bench_bytes(&input, number, sizeof number);
    bench_bytes(&input, modulus, modulus_size);
    if ((shape & 6) != 0) {
        // Mostly a modulus that passes, and data that may.
        modulus[0] |= (shape & 2) != 0 ? 0x80 : 1;
        modulus[modulus_size - 1] |= 1;
    }
    bench_bytes(&input, base, modulus_size);
    if ((shape & 8) != 0 && modulus[0] > 0) {
        base[0] %= modulus[0];
    }
    if ((shape & 16) != 0) {
        memcpy(base, modulus, modulus_size - 1);
    }
    recover(modulus, modulus_size, exponent, base);
    if ((shape & 32) != 0) {
        offline_pin(modulus, modulus_size, exponent, number);
    }
    free(modulus);
    free(base);
    return 0;
}
