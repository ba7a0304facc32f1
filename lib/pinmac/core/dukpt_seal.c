// A DUKPT state in storage: header ‖ initialisation vector ‖ registers in AES-256 CBC ‖ CMAC over all before.
//
// TR-31 cannot hold future keys. The current transaction's key is not stored: after unsealing the next
// one is asked for.
#include <string.h>

#include "dukpt_state.h"
#include "ring.h"
#include "secure.h"
#include "work.h"

enum {
    AT_ALGORITHM = 6, AT_GENERATION = 8, AT_COUNTER = 12, AT_KSN = 16, AT_KCV = 28, AT_MODE = 31,
    AT_EXPORTABILITY = 32, AT_VERSION = 33, AT_IV = 36, AT_REGISTERS = AT_IV + PINMAC_AES_BLOCK,
    SEAL_MAC = PINMAC_AES_BLOCK,
};
static const uint8_t seal_mark[AT_ALGORITHM] = {'d', 'u', 'k', 'p', 't', 1};

static void put_word(uint8_t *bytes, uint32_t word) {
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(word >> (24 - 8 * i));
    }
}

static uint32_t get_word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void seal_mac(const struct pinmac_device *device, const uint8_t *blob, size_t size, uint8_t mac[SEAL_MAC]) {
    struct pinmac_cmac *cmac = &pinmac_work.keys.cmac;
    uint8_t key[PINMAC_DEVICE_KEY];
    pinmac_device_derive(device, "dukpt m", key);
    pinmac_cmac_init(cmac, PINMAC_AES, key, sizeof key);
    pinmac_cmac_update(cmac, blob, size);
    pinmac_cmac_final(cmac, mac);
    pinmac_wipe(key, sizeof key);
}

static void seal_cipher(const struct pinmac_device *device) {
    uint8_t key[PINMAC_DEVICE_KEY];
    pinmac_device_derive(device, "dukpt e", key);
    pinmac_cipher_init(&pinmac_work.keys.cipher, PINMAC_AES, key, sizeof key);
    pinmac_wipe(key, sizeof key);
}

static size_t sealed_size(const struct pinmac_dukpt *state) {
    return AT_REGISTERS + pinmac_dukpt_registers_size(state) + SEAL_MAC;
}

enum pinmac_result pinmac_dukpt_seal(
    const struct pinmac_device *device, unsigned slot, uint8_t *blob, size_t *size) {
    const struct pinmac_dukpt *state = pinmac_dukpt_at(slot);
    const struct pinmac_key *key = pinmac_ring_peek(slot);
    uint8_t chain[PINMAC_AES_BLOCK];
    memset(blob, 0, AT_REGISTERS);
    memcpy(blob, seal_mark, sizeof seal_mark);
    blob[AT_ALGORITHM] = key->algorithm;
    put_word(blob + AT_GENERATION, state->generation);
    put_word(blob + AT_COUNTER, state->counter);
    memcpy(blob + AT_KSN, state->ksn, pinmac_dukpt_ksn_size(state));
    memcpy(blob + AT_KCV, key->value, PINMAC_KCV);
    blob[AT_MODE] = (uint8_t)key->mode;
    blob[AT_EXPORTABILITY] = (uint8_t)key->exportability;
    memcpy(blob + AT_VERSION, key->version, sizeof key->version);
    if (!pinmac_port_random(blob + AT_IV, PINMAC_AES_BLOCK)) {
        return PINMAC_NO_ENTROPY;
    }
    memcpy(chain, blob + AT_IV, sizeof chain);
    seal_cipher(device);
    for (size_t at = 0; at < pinmac_dukpt_registers_size(state); at += PINMAC_DUKPT_KEY) {
        // The register meets the chain before it comes near the blob: no key is in it in clear.
        pinmac_xor(chain, state->registers + at, sizeof chain);
        pinmac_cipher_encrypt(&pinmac_work.keys.cipher, chain);
        memcpy(blob + AT_REGISTERS + at, chain, sizeof chain);
    }
    *size = sealed_size(state);
    seal_mac(device, blob, *size - SEAL_MAC, blob + *size - SEAL_MAC);
    return PINMAC_OK;
}

bool pinmac_dukpt_sealed(const uint8_t *blob, size_t size) {
    return size > AT_ALGORITHM && memcmp(blob, seal_mark, sizeof seal_mark) == 0;
}

// An authentic blob of a state that nothing has been used since, and registers free for it.
static enum pinmac_result check_sealed(const struct pinmac_device *device, const struct pinmac_dukpt *state,
    unsigned slot, const uint8_t *blob, size_t size) {
    uint8_t mac[SEAL_MAC];
    uint32_t seen;
    if (size != sealed_size(state)) {
        return PINMAC_BAD_BLOCK;
    }
    seal_mac(device, blob, size - SEAL_MAC, mac);
    if (!pinmac_equal(mac, blob + size - SEAL_MAC, SEAL_MAC)) {
        return PINMAC_BAD_BLOCK;
    }
    if (!pinmac_port_counter_read(pinmac_dukpt_counter(state), &seen)) {
        return PINMAC_NO_STORAGE;
    }
    return get_word(blob + AT_GENERATION) < seen ? PINMAC_ROLLED_BACK : pinmac_dukpt_free(state, slot);
}

// The slot's header terms, from the blob.
static void describe_sealed(const struct pinmac_dukpt *state, const uint8_t *blob) {
    struct pinmac_key *incoming = &pinmac_work.keys.incoming;
    memcpy(incoming->usage, "B1", 2);
    incoming->algorithm = (uint8_t)pinmac_dukpt_algorithm(state);
    incoming->size = PINMAC_DUKPT_KEY;
    incoming->mode = (char)blob[AT_MODE];
    incoming->exportability = (char)blob[AT_EXPORTABILITY];
    memcpy(incoming->version, blob + AT_VERSION, sizeof incoming->version);
}

enum pinmac_result pinmac_dukpt_unseal(const struct pinmac_device *device, unsigned slot, const uint8_t *blob,
    size_t size, uint8_t kcv[PINMAC_KCV]) {
    uint8_t chain[PINMAC_AES_BLOCK];
    struct pinmac_dukpt *state = pinmac_dukpt_of((enum pinmac_algorithm)blob[AT_ALGORITHM]);
    enum pinmac_result result = check_sealed(device, state, slot, blob, size);
    if (result != PINMAC_OK) {
        return result;
    }
    memcpy(kcv, blob + AT_KCV, PINMAC_KCV);
    describe_sealed(state, blob);
    pinmac_dukpt_install(state, slot, kcv);
    state->generation = get_word(blob + AT_GENERATION);
    state->counter = get_word(blob + AT_COUNTER);
    memcpy(state->ksn, blob + AT_KSN, pinmac_dukpt_ksn_size(state));
    memcpy(state->registers, blob + AT_REGISTERS, pinmac_dukpt_registers_size(state));
    memcpy(chain, blob + AT_IV, sizeof chain);
    seal_cipher(device);
    pinmac_cbc_decrypt(&pinmac_work.keys.cipher, chain, state->registers, pinmac_dukpt_registers_size(state));
    return PINMAC_OK;
}
