// DUKPT: the registers of future keys and their step from transaction to transaction.
//
// After transaction c, register i holds the key of the next counter whose lowest one is bit i; bits
// above are those of c. Entering a counter takes the key out of the register of its lowest one and
// derives all registers below from it, so no key that was used can be found again (X9.24-1 A.3,
// X9.24-3 6.5). A transaction's key is spent durably before its first use: the port's counter is
// raised to the state's generation, and a sealed state of an earlier generation is refused.
#include "dukpt_state.h"

#include <string.h>

#include "ring.h"
#include "secure.h"
#include "work.h"

static uint8_t tdes_registers[PINMAC_DUKPT_TDES_BITS * PINMAC_DUKPT_KEY];
static uint8_t aes_registers[PINMAC_DUKPT_AES_BITS * PINMAC_DUKPT_KEY];
static struct pinmac_dukpt tdes = {.registers = tdes_registers}, aes = {.registers = aes_registers};

struct pinmac_dukpt *pinmac_dukpt_of(enum pinmac_algorithm algorithm) {
    return algorithm == PINMAC_TDES ? &tdes : &aes;
}

enum pinmac_algorithm pinmac_dukpt_algorithm(const struct pinmac_dukpt *state) {
    return state == &tdes ? PINMAC_TDES : PINMAC_AES;
}

struct pinmac_dukpt *pinmac_dukpt_at(unsigned slot) {
    if (tdes.loaded && tdes.slot == slot) {
        return &tdes;
    }
    return aes.loaded && aes.slot == slot ? &aes : NULL;
}

static unsigned register_count(const struct pinmac_dukpt *state) {
    return state == &tdes ? PINMAC_DUKPT_TDES_BITS : PINMAC_DUKPT_AES_BITS;
}

static unsigned most_ones(const struct pinmac_dukpt *state) {
    return state == &tdes ? PINMAC_DUKPT_TDES_ONES : PINMAC_DUKPT_AES_ONES;
}

size_t pinmac_dukpt_ksn_size(const struct pinmac_dukpt *state) {
    return state == &tdes ? PINMAC_DUKPT_TDES_KSN : PINMAC_DUKPT_AES_KSN;
}

size_t pinmac_dukpt_registers_size(const struct pinmac_dukpt *state) {
    return register_count(state) * PINMAC_DUKPT_KEY;
}

enum pinmac_counter pinmac_dukpt_counter(const struct pinmac_dukpt *state) {
    return state == &tdes ? PINMAC_COUNTER_DUKPT_TDES : PINMAC_COUNTER_DUKPT_AES;
}

bool pinmac_dukpt_in(unsigned slot) {
    return pinmac_dukpt_at(slot) != NULL;
}

void pinmac_dukpt_forget(unsigned slot) {
    struct pinmac_dukpt *state = pinmac_dukpt_at(slot);
    if (state != NULL) {
        uint8_t *registers = state->registers;
        pinmac_wipe(registers, pinmac_dukpt_registers_size(state));
        pinmac_wipe(state, sizeof *state);
        state->registers = registers;
    }
}

// ---- counting

static unsigned ones(uint32_t counter) {
    unsigned count = 0;
    for (; counter != 0; counter &= counter - 1) {
        count++;
    }
    return count;
}

static unsigned lowest_one(uint32_t counter) {
    unsigned bit = 0;
    while ((counter >> bit & 1) == 0) {
        bit++;
    }
    return bit;
}

// The bits of byte `i` of a serial number, counted from its end, that belong to the counter.
static uint8_t counter_mask(const struct pinmac_dukpt *state, unsigned i) {
    return (uint8_t)(0xFFFFFFFFu >> (PINMAC_DUKPT_AES_BITS - register_count(state)) >> 8 * i);
}

static uint32_t counter_of(const struct pinmac_dukpt *state, const uint8_t *ksn) {
    uint32_t counter = 0;
    for (unsigned i = 0; i < 4; i++) {
        counter |= (uint32_t)(ksn[pinmac_dukpt_ksn_size(state) - 1 - i] & counter_mask(state, i)) << 8 * i;
    }
    return counter;
}

// The key's serial number with this counter.
static void write_ksn(const struct pinmac_dukpt *state, uint32_t counter, uint8_t ksn[PINMAC_DUKPT_AES_KSN]) {
    memcpy(ksn, state->ksn, pinmac_dukpt_ksn_size(state));
    for (unsigned i = 0; i < 4; i++) {
        uint8_t *byte = &ksn[pinmac_dukpt_ksn_size(state) - 1 - i];
        *byte = (uint8_t)((*byte & ~counter_mask(state, i)) | (uint8_t)(counter >> 8 * i));
    }
}

// ---- deriving

// The key of `counter`, from the key above it, in place.
static void derive(const struct pinmac_dukpt *state, uint32_t counter, uint8_t key[PINMAC_DUKPT_KEY]) {
    uint8_t ksn[PINMAC_DUKPT_AES_KSN];
    write_ksn(state, counter, ksn);
    if (state == &tdes) {
        pinmac_dukpt_tdes_derive(&pinmac_work.keys.cipher, key, ksn);
    } else {
        pinmac_dukpt_aes_derive(&pinmac_work.keys.cipher, key, ksn);
    }
}

// Fill the registers below `count` from the key of `counter`.
static void fill(struct pinmac_dukpt *state, unsigned count, uint32_t counter, const uint8_t key[PINMAC_DUKPT_KEY]) {
    for (unsigned i = 0; i < count; i++) {
        uint8_t *future = state->registers + i * PINMAC_DUKPT_KEY;
        memcpy(future, key, PINMAC_DUKPT_KEY);
        derive(state, counter | (uint32_t)1 << i, future);
    }
}

// Take the key of `counter` out of the register of its lowest one.
static void enter(struct pinmac_dukpt *state, uint32_t counter) {
    unsigned bit = lowest_one(counter);
    uint8_t *future = state->registers + bit * PINMAC_DUKPT_KEY;
    memcpy(state->current, future, PINMAC_DUKPT_KEY);
    pinmac_wipe(future, PINMAC_DUKPT_KEY);
    // What would have too many ones is never asked for.
    fill(state, ones(counter) < most_ones(state) ? bit : 0, counter, state->current);
}

// The registers as they are after transaction `counter`, from the initial key.
static void begin(struct pinmac_dukpt *state, uint32_t counter, const uint8_t initial_key[PINMAC_DUKPT_KEY]) {
    uint32_t reached = 0;
    fill(state, register_count(state), 0, initial_key);
    for (unsigned bit = register_count(state); bit-- > 0;) {
        if ((counter >> bit & 1) != 0) {
            reached |= (uint32_t)1 << bit;
            enter(state, reached);
        }
    }
    state->counter = counter;
    pinmac_wipe(state->current, sizeof state->current);
}

// The counter after this one; zero when there is none.
static uint32_t next_counter(const struct pinmac_dukpt *state) {
    uint32_t counter = state->counter;
    uint32_t step = ones(counter) < most_ones(state) ? 1 : counter & (0 - counter);
    uint32_t next = counter + step;
    return register_count(state) < PINMAC_DUKPT_AES_BITS && next >> register_count(state) != 0 ? 0 : next;
}

// ---- the calls

// A generation later than any that the port has seen, which ends every sealed state of this algorithm.
static enum pinmac_result next_generation(const struct pinmac_dukpt *state, uint32_t *generation) {
    if (!pinmac_port_counter_read(pinmac_dukpt_counter(state), generation)) {
        return PINMAC_NO_STORAGE;
    }
    ++*generation;
    return pinmac_port_counter_raise(pinmac_dukpt_counter(state), *generation) ? PINMAC_OK : PINMAC_NO_STORAGE;
}

enum pinmac_result pinmac_dukpt_free(const struct pinmac_dukpt *state, unsigned slot) {
    return state->loaded && state->slot != slot ? PINMAC_REGISTERS_TAKEN : PINMAC_OK;
}

void pinmac_dukpt_install(struct pinmac_dukpt *state, unsigned slot, const uint8_t kcv[PINMAC_KCV]) {
    struct pinmac_key *incoming = &pinmac_work.keys.incoming;
    pinmac_wipe(incoming->value, sizeof incoming->value);
    memcpy(incoming->value, kcv, PINMAC_KCV);
    pinmac_ring_install(slot, PINMAC_SLOT_FULL);
    state->slot = (uint8_t)slot;
    state->loaded = true;
}

// The initial key must have its two parts, its serial number a counter that is one, and the registers
// must be free for it.
static enum pinmac_result check_initial_key(
    const struct pinmac_dukpt *state, unsigned slot, const uint8_t *ksn, size_t size) {
    if (pinmac_work.keys.incoming.size != PINMAC_DUKPT_KEY) {
        return PINMAC_BAD_SIZE;
    }
    bool fits = size == pinmac_dukpt_ksn_size(state) && ones(counter_of(state, ksn)) <= most_ones(state);
    return fits ? pinmac_dukpt_free(state, slot) : PINMAC_BAD_KSN;
}

enum pinmac_result pinmac_load_dukpt(unsigned slot, const char *block, size_t size, unsigned kbpk_slot,
    const uint8_t *ksn, size_t ksn_length, uint8_t kcv[PINMAC_KCV]) {
    const struct pinmac_device *device;
    const struct pinmac_key *incoming = &pinmac_work.keys.incoming;
    struct pinmac_dukpt *state = NULL;
    uint32_t generation = 0;
    enum pinmac_result result = pinmac_open_block(slot, block, size, kbpk_slot, true);
    if (result == PINMAC_OK) {
        state = pinmac_dukpt_of((enum pinmac_algorithm)incoming->algorithm);
        result = check_initial_key(state, slot, ksn, ksn_length);
    }
    if (result == PINMAC_OK) {
        result = pinmac_device_open(&device);
    }
    if (result == PINMAC_OK) {
        result = next_generation(state, &generation);
    }
    if (result == PINMAC_OK) {
        pinmac_ring_check_value(incoming, kcv, PINMAC_KCV);
        pinmac_work.keys.session = *incoming;
        pinmac_dukpt_install(state, slot, kcv);
        state->generation = generation;
        memcpy(state->ksn, ksn, ksn_length);
        begin(state, counter_of(state, ksn), pinmac_work.keys.session.value);
    }
    return pinmac_work_end(result);
}

enum pinmac_result pinmac_dukpt_next(unsigned slot, uint8_t ksn[PINMAC_KSN_MAX], size_t *size) {
    const struct pinmac_key *key;
    enum pinmac_result result = pinmac_ring_key(slot, "B1", NULL, &key);
    if (result != PINMAC_OK) {
        return result;
    }
    struct pinmac_dukpt *state = pinmac_dukpt_at(slot);
    uint32_t next = next_counter(state);
    if (next == 0) {
        return PINMAC_COUNTER_SPENT;
    }
    enter(state, next);
    state->counter = next;
    state->generation++;
    state->ready = true;
    state->spent = false;
    write_ksn(state, next, ksn);
    *size = pinmac_dukpt_ksn_size(state);
    return pinmac_work_end(PINMAC_OK);
}

static enum pinmac_result session_key(
    struct pinmac_dukpt *state, enum pinmac_dukpt_purpose purpose, const struct pinmac_key **key) {
    struct pinmac_key *session = &pinmac_work.keys.session;
    uint8_t ksn[PINMAC_DUKPT_AES_KSN];
    if (!state->ready) {
        return PINMAC_NO_TRANSACTION_KEY;
    }
    if (!state->spent) {
        if (!pinmac_port_counter_raise(pinmac_dukpt_counter(state), state->generation)) {
            return PINMAC_NO_STORAGE;
        }
        state->spent = true;
    }
    memcpy(session->value, state->current, PINMAC_DUKPT_KEY);
    session->size = PINMAC_DUKPT_KEY;
    session->algorithm = pinmac_ring_peek(state->slot)->algorithm;
    if (state == &tdes) {
        pinmac_dukpt_tdes_session(&pinmac_work.keys.cipher, session->value, purpose);
    } else {
        write_ksn(state, state->counter, ksn);
        pinmac_dukpt_aes_session(&pinmac_work.keys.cipher, session->value, ksn, purpose);
    }
    *key = session;
    return PINMAC_OK;
}

enum pinmac_result pinmac_purpose_key(unsigned slot, const char *usage, const char *modes,
    enum pinmac_dukpt_purpose purpose, const struct pinmac_key **key) {
    struct pinmac_dukpt *state = pinmac_dukpt_at(slot);
    return state != NULL ? session_key(state, purpose, key) : pinmac_ring_key(slot, usage, modes, key);
}
