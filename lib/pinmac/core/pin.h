// PIN entry and the clear PIN block (ISO 9564-1).
#ifndef PINMAC_PIN_H
#define PINMAC_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PINMAC_PIN_MIN = 4, PINMAC_PIN_MAX = 12, PINMAC_PIN_BLOCK = 8 };

// Digits 0-9, a byte each; the unused places hold anything.
struct pinmac_pin {
    bool open;
    unsigned min_length, max_length, length;
    uint8_t digit[PINMAC_PIN_MAX];
};

// The clear format 0 block (ISO 9564-1 9.3.2): the plain text PIN field, control 0, length, digits,
// fill F, XOR the account number field, four zeros and the twelve digits before the check digit.
// `pan` holds 13 to 19 ASCII digits.
void pinmac_pin_format_0(
    const struct pinmac_pin *pin, const char *pan, size_t pan_length, uint8_t block[PINMAC_PIN_BLOCK]);

#endif
