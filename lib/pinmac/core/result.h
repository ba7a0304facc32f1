// How every call of the core ends: one code an outcome, each with a sentence and a kind.
#ifndef PINMAC_RESULT_H
#define PINMAC_RESULT_H

enum pinmac_result {
    PINMAC_OK,
    // The slot is not for that.
    PINMAC_SLOT_EMPTY,
    PINMAC_KEY_INCOMPLETE,
    PINMAC_WRONG_USAGE,
    PINMAC_WRONG_ALGORITHM,
    PINMAC_WRONG_MODE,
    PINMAC_BOUND_ELSEWHERE,
    PINMAC_SAME_SLOT,
    PINMAC_NOT_EXPORTABLE,
    // A check failed and nothing was loaded.
    PINMAC_BAD_CHECK_VALUE,
    PINMAC_BAD_MAC,
    PINMAC_BAD_BLOCK,
    PINMAC_BAD_LOG,
    PINMAC_BAD_COMPONENTS,
    PINMAC_ROLLED_BACK,
    // Not now.
    PINMAC_SLOT_TAKEN,
    PINMAC_NO_SALT,
    PINMAC_NO_SECRET,
    PINMAC_NO_STORAGE,
    PINMAC_NO_ENTROPY,
    PINMAC_COMPONENTS_CLOSED,
    PINMAC_NO_PIN_ENTRY,
    PINMAC_PIN_EXPIRED,
    PINMAC_PIN_FULL,
    PINMAC_PIN_LIMIT,
    PINMAC_MAC_OPEN,
    PINMAC_NO_MAC_OPEN,
    PINMAC_NO_TRANSACTION_KEY,
    PINMAC_COUNTER_SPENT,
    PINMAC_REGISTERS_TAKEN,
    PINMAC_SELF_TEST_FAILED,
    // Sizes and ranges.
    PINMAC_BAD_SLOT,
    PINMAC_BAD_USAGE,
    PINMAC_BAD_ALGORITHM,
    PINMAC_BAD_SIZE,
    PINMAC_BAD_DIGIT,
    PINMAC_BAD_PIN_LENGTHS,
    PINMAC_PIN_TOO_SHORT,
    PINMAC_BAD_FORMAT,
    PINMAC_BAD_PAN,
    PINMAC_BAD_TRACK,
    PINMAC_BAD_KSN,
    PINMAC_BAD_MODULUS,
    PINMAC_BAD_EXPONENT,
};

enum pinmac_kind { PINMAC_KIND_KEY_USAGE, PINMAC_KIND_INTEGRITY, PINMAC_KIND_STATE, PINMAC_KIND_VALUE };

// Both for every result but PINMAC_OK.
enum pinmac_kind pinmac_result_kind(enum pinmac_result result);
const char *pinmac_result_text(enum pinmac_result result);

#endif
