// MACs over whole messages and over messages in pieces.
#include <string.h>

#include "pinmac.h"
#include "ring.h"
#include "secure.h"

struct context {
    unsigned algorithm;
    unsigned slot;
    bool can_generate, can_verify;
    union {
        struct pinmac_cup cup;
        struct pinmac_cmac cmac;
    } state;
};

// The one that mac_init opens (algorithm 0: none), and the one that lives within a single call.
static struct context pieces, whole;

static enum pinmac_result start(struct context *context, unsigned slot, unsigned algorithm, const char *modes) {
    const struct pinmac_key *key;
    if (algorithm != PINMAC_MAC_CUP && algorithm != PINMAC_MAC_CMAC) {
        return PINMAC_BAD_ALGORITHM;
    }
    const char *usage = algorithm == PINMAC_MAC_CUP ? "M0" : "M6";
    enum pinmac_result result = pinmac_ring_key(slot, usage, modes, &key);
    if (result != PINMAC_OK) {
        return result;
    }
    context->algorithm = algorithm;
    context->slot = slot;
    context->can_generate = key->mode != 'V';
    context->can_verify = key->mode != 'G';
    if (algorithm == PINMAC_MAC_CUP) {
        pinmac_cup_init(&context->state.cup, key->algorithm, key->value, key->size);
    } else {
        pinmac_cmac_init(&context->state.cmac, key->algorithm, key->value, key->size);
    }
    return PINMAC_OK;
}

static void update(struct context *context, const uint8_t *data, size_t size) {
    if (context->algorithm == PINMAC_MAC_CUP) {
        pinmac_cup_update(&context->state.cup, data, size);
    } else {
        pinmac_cmac_update(&context->state.cmac, data, size);
    }
}

static size_t finish(struct context *context, uint8_t *mac) {
    size_t size = PINMAC_CUP_SIZE;
    if (context->algorithm == PINMAC_MAC_CUP) {
        pinmac_cup_final(&context->state.cup, mac);
    } else {
        size = context->state.cmac.cipher.block_size;
        pinmac_cmac_final(&context->state.cmac, mac);
    }
    pinmac_wipe(context, sizeof *context);
    pinmac_wipe_stack();
    return size;
}

static enum pinmac_result finish_verify(struct context *context, const uint8_t *mac, size_t size) {
    uint8_t expected[PINMAC_BLOCK_MAX];
    bool whole_only = context->algorithm == PINMAC_MAC_CUP;
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
    enum pinmac_result result = start(&whole, slot, algorithm, "CG");
    if (result == PINMAC_OK) {
        update(&whole, data, size);
        *mac_size = finish(&whole, mac);
    }
    return result;
}

enum pinmac_result pinmac_mac_verify(unsigned slot, unsigned algorithm, const uint8_t *data, size_t size,
    const uint8_t *mac, size_t mac_size) {
    enum pinmac_result result = start(&whole, slot, algorithm, "CV");
    if (result == PINMAC_OK) {
        update(&whole, data, size);
        result = finish_verify(&whole, mac, mac_size);
    }
    return result;
}

enum pinmac_result pinmac_mac_init(unsigned slot, unsigned algorithm) {
    return pieces.algorithm != 0 ? PINMAC_MAC_OPEN : start(&pieces, slot, algorithm, "CGV");
}

enum pinmac_result pinmac_mac_update(const uint8_t *data, size_t size) {
    if (pieces.algorithm == 0) {
        return PINMAC_NO_MAC_OPEN;
    }
    update(&pieces, data, size);
    return PINMAC_OK;
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
    return PINMAC_OK;
}

enum pinmac_result pinmac_mac_final_verify(const uint8_t *mac, size_t mac_size) {
    if (pieces.algorithm == 0) {
        return PINMAC_NO_MAC_OPEN;
    }
    if (!pieces.can_verify) {
        pinmac_wipe(&pieces, sizeof pieces);
        return PINMAC_WRONG_MODE;
    }
    return finish_verify(&pieces, mac, mac_size);
}

void pinmac_mac_forget(unsigned slot) {
    if (pieces.slot == slot) {
        pinmac_wipe(&pieces, sizeof pieces);
    }
}
