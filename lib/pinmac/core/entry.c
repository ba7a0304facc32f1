// PIN entry: digits go in one at a time and come out only inside an enciphered PIN block.
//
// The order of the checks: the entry, the key, the arguments, the PIN's length, the token; whatever
// fails, the entry is over and the PIN wiped.
#include <string.h>

#include "../pinmac_port.h"
#include "dukpt.h"
#include "pinmac.h"
#include "rsa.h"
#include "secure.h"
#include "work.h"

enum { HOUR_MS = 3600000, PAN_MIN = 13, PAN_MAX = 19 };

static struct pinmac_pin pin;
static uint32_t opened_at;
static uint8_t clear_block[PINMAC_PIN_BLOCK_MAX];

// The token bucket on completed encryptions; a token is worth the milliseconds it takes to drip.
static struct {
    bool started;
    uint32_t filled_at;
    uint64_t level_ms;
} bucket;

static void end_entry(void) {
    pinmac_wipe(&pin, sizeof pin);
    pinmac_wipe(clear_block, sizeof clear_block);
    pinmac_work_wipe();
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
        pin.min_length = (uint8_t)min_length;
        pin.max_length = (uint8_t)max_length;
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

// ---- PIN blocks

enum { FORMAT_0 = 0, FORMAT_1 = 1, FORMAT_3 = 3, FORMAT_4 = 4 };

static bool is_pan(const char *pan, size_t length, size_t shortest) {
    for (size_t i = 0; i < length; i++) {
        if (pan[i] < '0' || pan[i] > '9') {
            return false;
        }
    }
    return length >= shortest && length <= PAN_MAX;
}

// The format, and whether key and PAN fit it.
static enum pinmac_result check_format(const struct pinmac_key *key, int format, const char *pan, size_t pan_length) {
    if (format != FORMAT_0 && format != FORMAT_1 && format != FORMAT_3 && format != FORMAT_4) {
        return PINMAC_BAD_FORMAT;
    }
    // ISO 9564-1 9.3 and 9.4: the formats of 8 bytes belong to TDES, format 4 to ciphers of 16 bytes.
    // That SM4 takes AES's place in it is this project's rule.
    if ((format == FORMAT_4) == (key->algorithm == PINMAC_TDES)) {
        return PINMAC_WRONG_ALGORITHM;
    }
    // Format 1 is the one without a PAN.
    bool fits = format == FORMAT_1 || is_pan(pan, pan_length, format == FORMAT_4 ? 1 : PAN_MIN);
    return fits ? PINMAC_OK : PINMAC_BAD_PAN;
}

// Enough digits, and a token for them.
static enum pinmac_result check_pin(void) {
    if (pin.length < pin.min_length) {
        return PINMAC_PIN_TOO_SHORT;
    }
    return take_token() ? PINMAC_OK : PINMAC_PIN_LIMIT;
}

// The clear block becomes the enciphered one, in place (format 4: ISO 9564-1 9.4.2.3).
static void encipher(int format, const char *pan, size_t pan_length, const uint8_t *fill) {
    struct pinmac_cipher *cipher = &pinmac_work.keys.cipher;
    uint8_t account[PINMAC_PIN_BLOCK_MAX];
    if (format == FORMAT_4) {
        pinmac_pin_format_4(&pin, fill, clear_block);
        pinmac_cipher_encrypt(cipher, clear_block);
        pinmac_pin_account_4(pan, pan_length, account);
        pinmac_xor(clear_block, account, sizeof account);
    } else if (format == FORMAT_3) {
        pinmac_pin_format_3(&pin, pan, pan_length, fill, clear_block);
    } else if (format == FORMAT_1) {
        pinmac_pin_format_1(&pin, fill, clear_block);
    } else {
        pinmac_pin_format_0(&pin, pan, pan_length, clear_block);
    }
    pinmac_cipher_encrypt(cipher, clear_block);
}

static enum pinmac_result make_block(unsigned slot, int format, const char *pan, size_t pan_length) {
    const struct pinmac_key *key;
    uint8_t fill[PINMAC_PIN_FILL];
    enum pinmac_result result = check_open();
    if (result == PINMAC_OK) {
        result = pinmac_purpose_key(slot, "P0", "BEN", PINMAC_DUKPT_PIN, &key);
    }
    if (result == PINMAC_OK) {
        result = check_format(key, format, pan, pan_length);
    }
    if (result == PINMAC_OK && !pinmac_port_random(fill, sizeof fill)) {
        result = PINMAC_NO_ENTROPY;
    }
    if (result == PINMAC_OK) {
        result = check_pin();
    }
    if (result == PINMAC_OK) {
        pinmac_cipher_init(
            &pinmac_work.keys.cipher, (enum pinmac_algorithm)key->algorithm, key->value, key->size);
        encipher(format, pan, pan_length, fill);
    }
    pinmac_wipe(fill, sizeof fill);
    return result;
}

enum pinmac_result pinmac_pin_block(unsigned slot, int format, const char *pan, size_t pan_length,
    uint8_t block[PINMAC_PIN_BLOCK_MAX], size_t *size) {
    enum pinmac_result result = make_block(slot, format, pan, pan_length);
    if (result == PINMAC_OK) {
        *size = format == FORMAT_4 ? PINMAC_PIN_BLOCK_MAX : PINMAC_PIN_BLOCK;
        memcpy(block, clear_block, *size);
    }
    end_entry();
    return result;
}

// ---- the enciphered offline PIN (EMV Book 2 7.2)

enum { PIN_DATA_HEADER = 0x7F, PIN_DATA_FIXED = 1 + PINMAC_PIN_BLOCK + PINMAC_UNPREDICTABLE_NUMBER };

static enum pinmac_result check_pin_key(const uint8_t *modulus, size_t size, uint32_t exponent) {
    bool fits = size >= PINMAC_PIN_MODULUS_MIN && size <= PINMAC_PIN_MODULUS_MAX && modulus[0] != 0 &&
        (modulus[size - 1] & 1) != 0;
    if (!fits) {
        return PINMAC_BAD_MODULUS;
    }
    return exponent == 3 || exponent == 65537 ? PINMAC_OK : PINMAC_BAD_EXPONENT;
}

// Header 7F, PIN block, the card's unpredictable number, random padding.
static enum pinmac_result encipher_offline(
    const uint8_t *modulus, size_t size, uint32_t exponent, const uint8_t *unpredictable_number, uint8_t *data) {
    data[0] = PIN_DATA_HEADER;
    pinmac_pin_format_2(&pin, data + 1);
    memcpy(data + 1 + PINMAC_PIN_BLOCK, unpredictable_number, PINMAC_UNPREDICTABLE_NUMBER);
    if (!pinmac_port_random(data + PIN_DATA_FIXED, size - PIN_DATA_FIXED)) {
        return PINMAC_NO_ENTROPY;
    }
    return pinmac_rsa_public(&pinmac_work.rsa, modulus, size, exponent, data) ? PINMAC_OK : PINMAC_BAD_MODULUS;
}

enum pinmac_result pinmac_pin_enciphered(const uint8_t *modulus, size_t size, uint32_t exponent,
    const uint8_t *unpredictable_number, size_t number_size, uint8_t *out) {
    uint8_t data[PINMAC_PIN_MODULUS_MAX];
    enum pinmac_result result = check_open();
    if (result == PINMAC_OK) {
        result = check_pin_key(modulus, size, exponent);
    }
    if (result == PINMAC_OK && number_size != PINMAC_UNPREDICTABLE_NUMBER) {
        result = PINMAC_BAD_SIZE;
    }
    if (result == PINMAC_OK) {
        result = check_pin();
    }
    if (result == PINMAC_OK) {
        result = encipher_offline(modulus, size, exponent, unpredictable_number, data);
    }
    if (result == PINMAC_OK) {
        memcpy(out, data, size);
    }
    pinmac_wipe(data, sizeof data);
    end_entry();
    return result;
}
