// What the fuzzers of pinmac share: a core over the fake port with keys that are known here, and the
// view from outside that a refused call must leave alone.
#ifndef PINMAC_BENCH_H
#define PINMAC_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pinmac.h"
#include "pinmac_port_fake.h"

// An invariant: its failure is a finding.
#define HOLDS(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

// The key-encrypting keys: bytes 00 to 1F for AES, 0123456789ABCDEFFEDCBA9876543210 for TDES.
enum { KBPK_AES, KBPK_TDES, MASTER, FIRST_FREE, WATCHED = 12 };

static const uint8_t bench_aes[32] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
    20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
static const uint8_t bench_tdes[16] = {
    0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};

static inline void bench_inject(unsigned slot, const char *usage, unsigned algorithm, const uint8_t *key, size_t size) {
    uint8_t kcv[PINMAC_KCV], part[32], other[32];
    bool complete;
    for (size_t i = 0; i < size; i++) {
        part[i] = (uint8_t)(0x5A + i);
        other[i] = (uint8_t)(part[i] ^ key[i]);
    }
    HOLDS(pinmac_load_component(slot, usage, algorithm, part, size, &complete, kcv) == PINMAC_OK && !complete);
    HOLDS(pinmac_load_component(slot, usage, algorithm, other, size, &complete, kcv) == PINMAC_OK && complete);
}

static inline void bench_inject_all(void) {
    bench_inject(KBPK_AES, "K1", PINMAC_AES, bench_aes, sizeof bench_aes);
    bench_inject(KBPK_TDES, "K1", PINMAC_TDES, bench_tdes, sizeof bench_tdes);
    bench_inject(MASTER, "K0", PINMAC_TDES, bench_tdes, sizeof bench_tdes);
}

// What can be seen of the first slots, and the board's stores.
struct bench_view {
    struct {
        struct pinmac_info info;
        enum pinmac_result result;
        uint8_t kcv[PINMAC_KCV];
    } slot[WATCHED];
    struct fake_stores stores;
};

static inline void bench_look(struct bench_view *view) {
    memset(view, 0, sizeof *view);
    for (unsigned slot = 0; slot < WATCHED; slot++) {
        pinmac_info(slot, &view->slot[slot].info);
        view->slot[slot].result = pinmac_kcv(slot, view->slot[slot].kcv);
    }
    view->stores = fake.stores;
}

static inline void bench_unchanged(const struct bench_view *before) {
    struct bench_view now;
    bench_look(&now);
    HOLDS(memcmp(before, &now, sizeof now) == 0);
}

// The fuzzer's bytes, taken from the front; zeros when there are no more.
struct bench_input {
    const uint8_t *data;
    size_t left;
};

static inline uint8_t bench_byte(struct bench_input *input) {
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->data++;
}

static inline void bench_bytes(struct bench_input *input, uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bytes[i] = bench_byte(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
