// The clear PIN blocks of ISO 9564-1.
#ifndef PINMAC_PIN_H
#define PINMAC_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PINMAC_PIN_MIN = 4,
    PINMAC_PIN_MAX = 12,
    PINMAC_PIN_BLOCK = 8,      // formats 0, 1, 2 and 3
    PINMAC_PIN_BLOCK_MAX = 16, // format 4
};

// Digits 0-9, a byte each; the unused places hold anything.
struct pinmac_pin {
    bool open;
    uint8_t min_length, max_length, length;
    uint8_t digit[PINMAC_PIN_MAX];
};

// Format 0 (ISO 9564-1 9.3.2) and 3 (9.3.5): the plain text PIN field, control 0 or 3, length, digits,
// fill, XOR the account number field, four zeros and the twelve digits before the check digit. The fill
// is F, or in format 3 values A to F made of `fill`, PINMAC_PIN_FILL random bytes. `pan` holds 13 or
// more ASCII digits.
enum { PINMAC_PIN_FILL = 20 };
void pinmac_pin_format_0(
    const struct pinmac_pin *pin, const char *pan, size_t pan_length, uint8_t block[PINMAC_PIN_BLOCK]);
void pinmac_pin_format_3(const struct pinmac_pin *pin, const char *pan, size_t pan_length,
    const uint8_t *fill, uint8_t block[PINMAC_PIN_BLOCK]);

// Format 1 (9.3.3): control 1, length, digits, and a fill unique to the transaction, of `fill`.
void pinmac_pin_format_1(const struct pinmac_pin *pin, const uint8_t *fill, uint8_t block[PINMAC_PIN_BLOCK]);

// Format 2 (9.3.4), of offline PINs: control 2, length, digits, fill F.
void pinmac_pin_format_2(const struct pinmac_pin *pin, uint8_t block[PINMAC_PIN_BLOCK]);

// The two fields of format 4 (9.4.2): the PIN field, control 4, length, digits, fill A up to the middle
// and the eight bytes of `fill`; and the account number field, its length less 12, the digits (1 to 19
// of them, at least 12 with leading zeros), zeros.
void pinmac_pin_format_4(const struct pinmac_pin *pin, const uint8_t *fill, uint8_t field[PINMAC_PIN_BLOCK_MAX]);
void pinmac_pin_account_4(const char *pan, size_t pan_length, uint8_t field[PINMAC_PIN_BLOCK_MAX]);

#endif
