// MACs over whole messages and over messages in pieces.
#include "macs.h"

#include <string.h>

#include "dukpt.h"
#include "pinmac.h"
#include "ring.h"
#include "secure.h"
#include "work.h"

// The one that mac_init opens.
static struct pinmac_mac_context pieces;

// The usage of the keys of each MAC.
static const char usages[][3] = {
    [PINMAC_MAC_CUP] = "M0",
    [PINMAC_MAC_CMAC] = "M6",
    [PINMAC_MAC_X99] = "M1",
    [PINMAC_MAC_X919] = "M3",
    [PINMAC_MAC_CUP_SM4] = "M0",
};
enum { ALGORITHMS = sizeof usages / sizeof usages[0] };

// The usage leaves a choice between MAC_CUP and its SM4 form; a DUKPT key of TDES makes retail MACs,
// one of AES makes CMACs (X9.24-1:2009 A.4.1, X9.24-3 6.3).
static bool serves(const struct pinmac_key *key, unsigned algorithm, bool dukpt) {
    if (dukpt) {
        return algorithm == (key->algorithm == PINMAC_TDES ? (unsigned)PINMAC_MAC_X919 : (unsigned)PINMAC_MAC_CMAC);
    }
    bool sm4 = algorithm == PINMAC_MAC_CUP_SM4;
    return algorithm == PINMAC_MAC_CMAC || (key->algorithm == PINMAC_SM4) == sm4;
}

static void init(struct pinmac_mac_context *context, const struct pinmac_key *key) {
    enum pinmac_algorithm cipher = (enum pinmac_algorithm)key->algorithm;
    switch (context->algorithm) {
        case PINMAC_MAC_CMAC:
            pinmac_cmac_init(&context->state.cmac, cipher, key->value, key->size);
            break;
        case PINMAC_MAC_X99:
        case PINMAC_MAC_X919:
            pinmac_cbc_mac_init(
                &context->state.cbc, context->algorithm == PINMAC_MAC_X919, cipher, key->value, key->size);
            break;
        default:
            pinmac_cup_init(&context->state.cup, cipher, key->value, key->size);
    }
}

static enum pinmac_result start(struct pinmac_mac_context *context, unsigned slot, unsigned algorithm,
    const char *modes, enum pinmac_dukpt_purpose purpose) {
    const struct pinmac_key *key;
    bool dukpt = pinmac_dukpt_in(slot);
    if (algorithm == 0 || algorithm >= ALGORITHMS) {
        return PINMAC_BAD_ALGORITHM;
    }
    enum pinmac_result result = pinmac_purpose_key(slot, usages[algorithm], modes, purpose, &key);
    if (result != PINMAC_OK) {
        return result;
    }
    if (!serves(key, algorithm, dukpt)) {
        return PINMAC_WRONG_ALGORITHM;
    }
    context->algorithm = (uint8_t)algorithm;
    context->slot = (uint8_t)slot;
    context->can_generate = dukpt || key->mode != 'V';
    context->can_verify = !dukpt && key->mode != 'G';
    init(context, key);
    return PINMAC_OK;
}

static void update(struct pinmac_mac_context *context, const uint8_t *data, size_t size) {
    switch (context->algorithm) {
        case PINMAC_MAC_CMAC:
            pinmac_cmac_update(&context->state.cmac, data, size);
            break;
        case PINMAC_MAC_X99:
        case PINMAC_MAC_X919:
            pinmac_cbc_mac_update(&context->state.cbc, data, size);
            break;
        default:
            pinmac_cup_update(&context->state.cup, data, size);
    }
}

// The whole MAC and its size; closes the context.
static size_t finish(struct pinmac_mac_context *context, uint8_t *mac) {
    size_t size = PINMAC_CUP_SIZE;
    switch (context->algorithm) {
        case PINMAC_MAC_CMAC:
            size = context->state.cmac.cipher.block_size;
            pinmac_cmac_final(&context->state.cmac, mac);
            break;
        case PINMAC_MAC_X99:
        case PINMAC_MAC_X919:
            size = PINMAC_DES_BLOCK;
            pinmac_cbc_mac_final(&context->state.cbc, mac);
            break;
        default:
            pinmac_cup_final(&context->state.cup, mac);
    }
    pinmac_wipe(context, sizeof *context);
    return size;
}

static enum pinmac_result finish_verify(struct pinmac_mac_context *context, const uint8_t *mac, size_t size) {
    uint8_t expected[PINMAC_BLOCK_MAX];
    bool whole_only = context->algorithm == PINMAC_MAC_CUP || context->algorithm == PINMAC_MAC_CUP_SM4;
    size_t full = finish(context, expected);
    enum pinmac_result result = PINMAC_BAD_SIZE;
    if (size <= full && size >= (whole_only ? full : (size_t)PINMAC_MAC_MIN)) {
        result = pinmac_equal(expected, mac, size) ? PINMAC_OK : PINMAC_BAD_MAC;
    }
    pinmac_wipe(expected, sizeof expected);
    return result;
}

enum pinmac_result pinmac_mac(unsigned slot, unsigned algorithm, const uint8_t *data, size_t size,
    uint8_t *mac, size_t *mac_size) {
    struct pinmac_mac_context *context = &pinmac_work.mac.context;
    enum pinmac_result result = start(context, slot, algorithm, "CGN", PINMAC_DUKPT_MAC);
    if (result == PINMAC_OK) {
        update(context, data, size);
        *mac_size = finish(context, mac);
    }
    return pinmac_work_end(result);
}

enum pinmac_result pinmac_mac_verify(unsigned slot, unsigned algorithm, const uint8_t *data, size_t size,
    const uint8_t *mac, size_t mac_size) {
    struct pinmac_mac_context *context = &pinmac_work.mac.context;
    enum pinmac_result result = start(context, slot, algorithm, "CVN", PINMAC_DUKPT_MAC_RESPONSE);
    if (result == PINMAC_OK) {
        update(context, data, size);
        result = finish_verify(context, mac, mac_size);
    }
    return pinmac_work_end(result);
}

enum pinmac_result pinmac_mac_init(unsigned slot, unsigned algorithm) {
    if (pieces.algorithm != 0) {
        return PINMAC_MAC_OPEN;
    }
    return pinmac_work_end(start(&pieces, slot, algorithm, "CGVN", PINMAC_DUKPT_MAC));
}

enum pinmac_result pinmac_mac_update(const uint8_t *data, size_t size) {
    if (pieces.algorithm == 0) {
        return PINMAC_NO_MAC_OPEN;
    }
    update(&pieces, data, size);
    return pinmac_work_end(PINMAC_OK);
}

enum pinmac_result pinmac_mac_final(uint8_t *mac, size_t *mac_size) {
    if (pieces.algorithm == 0) {
        return PINMAC_NO_MAC_OPEN;
    }
    if (!pieces.can_generate) {
        pinmac_wipe(&pieces, sizeof pieces);
        return PINMAC_WRONG_MODE;
    }
    *mac_size = finish(&pieces, mac);
    return pinmac_work_end(PINMAC_OK);
}

enum pinmac_result pinmac_mac_final_verify(const uint8_t *mac, size_t mac_size) {
    if (pieces.algorithm == 0) {
        return PINMAC_NO_MAC_OPEN;
    }
    if (!pieces.can_verify) {
        pinmac_wipe(&pieces, sizeof pieces);
        return PINMAC_WRONG_MODE;
    }
    return pinmac_work_end(finish_verify(&pieces, mac, mac_size));
}

void pinmac_mac_forget(unsigned slot) {
    if (pieces.algorithm != 0 && pieces.slot == slot) {
        pinmac_wipe(&pieces, sizeof pieces);
    }
}
