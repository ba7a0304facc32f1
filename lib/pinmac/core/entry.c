// PIN entry: digits go in one at a time and come out only inside an enciphered PIN block.
#include <string.h>

#include "../pinmac_port.h"
#include "pinmac.h"
#include "ring.h"
#include "secure.h"

enum { HOUR_MS = 3600000, PAN_MIN = 13, PAN_MAX = 19 };

static struct pinmac_pin pin;
static uint32_t opened_at;
static uint8_t clear_block[PINMAC_PIN_BLOCK];

// The token bucket on completed encryptions; a token is worth the milliseconds it takes to drip.
static struct {
    bool started;
    uint32_t filled_at;
    uint64_t level_ms;
} bucket;

static void end_entry(void) {
    pinmac_wipe(&pin, sizeof pin);
    pinmac_wipe(clear_block, sizeof clear_block);
    pinmac_wipe_stack();
}

static bool take_token(void) {
    struct pinmac_policy policy;
    pinmac_port_policy(&policy);
    if (policy.pins_per_hour == 0) {
        return true;
    }
    uint64_t price = HOUR_MS / policy.pins_per_hour, full = price * policy.pins_burst;
    uint32_t now = pinmac_port_ticks_ms();
    bucket.level_ms = bucket.started ? bucket.level_ms + (uint32_t)(now - bucket.filled_at) : full;
    bucket.level_ms = bucket.level_ms < full ? bucket.level_ms : full;
    bucket.filled_at = now;
    bucket.started = true;
    if (bucket.level_ms < price) {
        return false;
    }
    bucket.level_ms -= price;
    return true;
}

// An entry must be open and within its time; one beyond it is wiped here.
static enum pinmac_result check_open(void) {
    struct pinmac_policy policy;
    if (!pin.open) {
        return PINMAC_NO_PIN_ENTRY;
    }
    pinmac_port_policy(&policy);
    if (policy.pin_entry_ms != 0 && (uint32_t)(pinmac_port_ticks_ms() - opened_at) > policy.pin_entry_ms) {
        end_entry();
        return PINMAC_PIN_EXPIRED;
    }
    return PINMAC_OK;
}

enum pinmac_result pinmac_pin_begin(unsigned min_length, unsigned max_length) {
    end_entry();
    if (min_length < PINMAC_PIN_MIN || max_length > PINMAC_PIN_MAX || min_length > max_length) {
        return PINMAC_BAD_PIN_LENGTHS;
    }
    enum pinmac_result result = pinmac_self_tested();
    if (result == PINMAC_OK) {
        pin.open = true;
        pin.min_length = min_length;
        pin.max_length = max_length;
        opened_at = pinmac_port_ticks_ms();
    }
    return result;
}

enum pinmac_result pinmac_pin_digit(unsigned digit, unsigned *length) {
    enum pinmac_result result = check_open();
    if (result != PINMAC_OK) {
        return result;
    }
    // The borrow of 9 - digit, or a bit above the nibble: no comparison of the digit itself.
    bool bad = (((9u - digit) | digit) >> 4) != 0;
    PINMAC_DECLASSIFY(bad);
    if (bad) {
        return PINMAC_BAD_DIGIT;
    }
    if (pin.length == pin.max_length) {
        return PINMAC_PIN_FULL;
    }
    pin.digit[pin.length++] = (uint8_t)digit;
    *length = pin.length;
    return PINMAC_OK;
}

enum pinmac_result pinmac_pin_back(unsigned *length) {
    enum pinmac_result result = check_open();
    if (result == PINMAC_OK && pin.length > 0) {
        pinmac_wipe(&pin.digit[--pin.length], 1);
    }
    *length = pin.length;
    return result;
}

enum pinmac_result pinmac_pin_length(unsigned *length) {
    enum pinmac_result result = check_open();
    *length = pin.length;
    return result;
}

void pinmac_pin_cancel(void) {
    end_entry();
}

static bool is_pan(const char *pan, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (pan[i] < '0' || pan[i] > '9') {
            return false;
        }
    }
    return length >= PAN_MIN && length <= PAN_MAX;
}

static enum pinmac_result encipher(
    unsigned slot, int format, const char *pan, size_t pan_length, uint8_t block[PINMAC_PIN_BLOCK]) {
    static struct pinmac_cipher cipher;
    const struct pinmac_key *key;
    enum pinmac_result result = pinmac_ring_key(slot, "P0", "E", &key);
    if (result != PINMAC_OK) {
        return result;
    }
    if (format != 0) {
        return PINMAC_BAD_FORMAT;
    }
    // ISO 9564-1 9.3: the 8-byte formats belong to TDES.
    if (key->algorithm != PINMAC_TDES) {
        return PINMAC_WRONG_ALGORITHM;
    }
    if (!is_pan(pan, pan_length)) {
        return PINMAC_BAD_PAN;
    }
    if (pin.length < pin.min_length) {
        return PINMAC_PIN_TOO_SHORT;
    }
    if (!take_token()) {
        return PINMAC_PIN_LIMIT;
    }
    pinmac_pin_format_0(&pin, pan, pan_length, clear_block);
    pinmac_cipher_init(&cipher, key->algorithm, key->value, key->size);
    pinmac_cipher_encrypt(&cipher, clear_block);
    pinmac_wipe(&cipher, sizeof cipher);
    memcpy(block, clear_block, PINMAC_PIN_BLOCK);
    return PINMAC_OK;
}

enum pinmac_result pinmac_pin_block(
    unsigned slot, int format, const char *pan, size_t pan_length, uint8_t block[PINMAC_PIN_BLOCK]) {
    enum pinmac_result result = check_open();
    if (result == PINMAC_OK) {
        result = encipher(slot, format, pan, pan_length, block);
    }
    end_entry();
    return result;
}
