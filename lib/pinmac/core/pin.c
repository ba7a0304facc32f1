// The clear PIN block of ISO 9564-1 format 0.
#include "pin.h"

#include "secure.h"

enum { NIBBLES = 2 * PINMAC_PIN_BLOCK, PAN_DIGITS = 12, PAN_FIRST = NIBBLES - PAN_DIGITS };

static unsigned pin_nibble(const struct pinmac_pin *pin, unsigned i) {
    if (i < 2) {
        return i == 0 ? 0 : pin->length;
    }
    return i - 2 < pin->length ? pin->digit[i - 2] : 0xF;
}

void pinmac_pin_format_0(
    const struct pinmac_pin *pin, const char *pan, size_t pan_length, uint8_t block[PINMAC_PIN_BLOCK]) {
    const char *account = pan + pan_length - 1 - PAN_DIGITS;
    for (unsigned i = 0; i < NIBBLES; i += 2) {
        unsigned byte = pin_nibble(pin, i) << 4 | pin_nibble(pin, i + 1);
        if (i >= PAN_FIRST) {
            unsigned high = (unsigned)account[i - PAN_FIRST] - '0';
            byte ^= high << 4 | ((unsigned)account[i + 1 - PAN_FIRST] - '0');
        }
        block[i / 2] = (uint8_t)byte;
    }
}
