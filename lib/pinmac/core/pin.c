// The clear PIN blocks of ISO 9564-1. A PIN's length is no secret (the screen shows it); its digits are.
#include "pin.h"

#include <string.h>

enum { NIBBLES = 2 * PINMAC_PIN_BLOCK, PAN_DIGITS = 12, PAN_FIRST = NIBBLES - PAN_DIGITS, FILL_F = 0xF, FILL_A = 0xA };

static void put_nibble(uint8_t *field, unsigned i, unsigned nibble) {
    field[i / 2] = (uint8_t)(field[i / 2] | nibble << (i % 2 == 0 ? 4 : 0));
}

// Control, length and digits, in a block of zeros.
static void put_pin(const struct pinmac_pin *pin, unsigned control, uint8_t block[PINMAC_PIN_BLOCK]) {
    memset(block, 0, PINMAC_PIN_BLOCK);
    put_nibble(block, 0, control);
    put_nibble(block, 1, pin->length);
    for (unsigned i = 0; i < pin->length; i++) {
        put_nibble(block, 2 + i, pin->digit[i]);
    }
}

static void put_fill(const struct pinmac_pin *pin, unsigned fill, uint8_t block[PINMAC_PIN_BLOCK]) {
    for (unsigned i = 2 + pin->length; i < NIBBLES; i++) {
        put_nibble(block, i, fill);
    }
}

static void xor_account(const char *pan, size_t pan_length, uint8_t block[PINMAC_PIN_BLOCK]) {
    const char *account = pan + pan_length - 1 - PAN_DIGITS;
    for (unsigned i = PAN_FIRST; i < NIBBLES; i += 2) {
        unsigned high = (unsigned)account[i - PAN_FIRST] - '0', low = (unsigned)account[i + 1 - PAN_FIRST] - '0';
        block[i / 2] = (uint8_t)(block[i / 2] ^ (high << 4 | low));
    }
}

void pinmac_pin_format_0(
    const struct pinmac_pin *pin, const char *pan, size_t pan_length, uint8_t block[PINMAC_PIN_BLOCK]) {
    put_pin(pin, 0, block);
    put_fill(pin, FILL_F, block);
    xor_account(pan, pan_length, block);
}

void pinmac_pin_format_1(const struct pinmac_pin *pin, const uint8_t *fill, uint8_t block[PINMAC_PIN_BLOCK]) {
    put_pin(pin, 1, block);
    for (unsigned i = 2 + pin->length; i < NIBBLES; i++) {
        put_nibble(block, i, *fill++ & 0xFu);
    }
}

void pinmac_pin_format_2(const struct pinmac_pin *pin, uint8_t block[PINMAC_PIN_BLOCK]) {
    put_pin(pin, 2, block);
    put_fill(pin, FILL_F, block);
}

void pinmac_pin_format_3(const struct pinmac_pin *pin, const char *pan, size_t pan_length,
    const uint8_t *fill, uint8_t block[PINMAC_PIN_BLOCK]) {
    put_pin(pin, 3, block);
    for (unsigned i = 2 + pin->length; i < NIBBLES; i++) {
        // One of six values from two bytes, uneven by less than one in ten thousand.
        unsigned wide = (unsigned)fill[0] << 8 | fill[1];
        put_nibble(block, i, FILL_A + (wide * 6 >> 16));
        fill += 2;
    }
    xor_account(pan, pan_length, block);
}

void pinmac_pin_format_4(const struct pinmac_pin *pin, const uint8_t *fill, uint8_t field[PINMAC_PIN_BLOCK_MAX]) {
    put_pin(pin, 4, field);
    put_fill(pin, FILL_A, field);
    memcpy(field + PINMAC_PIN_BLOCK, fill, PINMAC_PIN_BLOCK);
}

void pinmac_pin_account_4(const char *pan, size_t pan_length, uint8_t field[PINMAC_PIN_BLOCK_MAX]) {
    size_t leading = pan_length < PAN_DIGITS ? PAN_DIGITS - pan_length : 0;
    memset(field, 0, PINMAC_PIN_BLOCK_MAX);
    put_nibble(field, 0, (unsigned)(pan_length + leading - PAN_DIGITS));
    for (unsigned i = 0; i < pan_length; i++) {
        put_nibble(field, 1 + (unsigned)leading + i, (unsigned)pan[i] - '0');
    }
}
