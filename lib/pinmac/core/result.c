// The sentences of the results, for the log. None carries data.
#include "result.h"

enum pinmac_kind pinmac_result_kind(enum pinmac_result result) {
    if (result < PINMAC_BAD_CHECK_VALUE) {
        return PINMAC_KIND_KEY_USAGE;
    }
    if (result < PINMAC_SLOT_TAKEN) {
        return PINMAC_KIND_INTEGRITY;
    }
    return result < PINMAC_BAD_SLOT ? PINMAC_KIND_STATE : PINMAC_KIND_VALUE;
}

const char *pinmac_result_text(enum pinmac_result result) {
    static const char *const text[] = {
        [PINMAC_OK] = "done",
        [PINMAC_SLOT_EMPTY] = "the slot holds no key",
        [PINMAC_KEY_INCOMPLETE] = "the second component is missing",
        [PINMAC_WRONG_USAGE] = "not for a key of this usage",
        [PINMAC_WRONG_ALGORITHM] = "not for a key of this algorithm",
        [PINMAC_WRONG_MODE] = "not for a key of this mode of use",
        [PINMAC_BOUND_ELSEWHERE] = "the cryptogram is bound to another usage",
        [PINMAC_SAME_SLOT] = "a key cannot replace its own master",
        [PINMAC_NOT_EXPORTABLE] = "the key must not leave this device",
        [PINMAC_BAD_CHECK_VALUE] = "the key check value is wrong",
        [PINMAC_BAD_MAC] = "the MAC is wrong",
        [PINMAC_BAD_BLOCK] = "not an authentic key block",
        [PINMAC_BAD_LOG] = "the log of key usages was altered",
        [PINMAC_BAD_COMPONENTS] = "the two components are the same",
        [PINMAC_ROLLED_BACK] = "an older state of the DUKPT key",
        [PINMAC_SLOT_TAKEN] = "erase the key-encrypting key first",
        [PINMAC_NO_SALT] = "the module is zeroised",
        [PINMAC_NO_SECRET] = "the device secret cannot be read",
        [PINMAC_NO_STORAGE] = "the key storage failed or is full",
        [PINMAC_NO_ENTROPY] = "there is no entropy",
        [PINMAC_COMPONENTS_CLOSED] = "clear components only after zeroize",
        [PINMAC_NO_PIN_ENTRY] = "no PIN entry is open",
        [PINMAC_PIN_EXPIRED] = "the PIN entry took too long",
        [PINMAC_PIN_FULL] = "the PIN has its greatest length",
        [PINMAC_PIN_LIMIT] = "too many PINs in too short a time",
        [PINMAC_MAC_OPEN] = "a MAC is being computed already",
        [PINMAC_NO_MAC_OPEN] = "no MAC is being computed",
        [PINMAC_NO_TRANSACTION_KEY] = "dukpt_next must come before",
        [PINMAC_COUNTER_SPENT] = "the DUKPT counter is spent",
        [PINMAC_REGISTERS_TAKEN] = "another slot holds the DUKPT registers",
        [PINMAC_SELF_TEST_FAILED] = "the self-test failed",
        [PINMAC_BAD_SLOT] = "slots are 0 to 31",
        [PINMAC_BAD_USAGE] = "not a key usage of this call",
        [PINMAC_BAD_ALGORITHM] = "not an algorithm of this call",
        [PINMAC_BAD_SIZE] = "wrong size",
        [PINMAC_BAD_DIGIT] = "not a digit",
        [PINMAC_BAD_PIN_LENGTHS] = "PIN lengths are 4 to 12",
        [PINMAC_PIN_TOO_SHORT] = "the PIN is too short",
        [PINMAC_BAD_FORMAT] = "not a PIN block format",
        [PINMAC_BAD_PAN] = "a PAN is 13 to 19 digits (format 4: from 1)",
        [PINMAC_BAD_TRACK] = "a track is 18 to 104 digits, = or D",
        [PINMAC_BAD_KSN] = "not a serial number of this key",
        [PINMAC_BAD_MODULUS] = "not an RSA modulus, or data not below it",
        [PINMAC_BAD_EXPONENT] = "not an exponent of this call",
    };
    return text[result];
}
