// Fuzzes DUKPT: keys loaded at any serial number, advanced, used, sealed, unsealed whole and altered.
//
// No serial number is ever used twice after one loading, and none below one that was used.
#include "pinmac_bench.h"

enum { ONE = FIRST_FREE, TWO, BLOBS = 4, STEPS_MAX = 24 };
enum call { LOAD, NEXT, NEXT_AGAIN, USE, SEAL, UNSEAL, ALTER, ERASE, STUCK, CALLS };

// Initial keys of X9.24-1:2009 A.4 and X9.24-3 under KBPK_AES, made by psec 1.3.0.
static const char *const initial[2] = {
    "D0112B1TX00N000041049EB7775DC7865872DF9F53429E721459233D3817CB3F2F3150945C492CDFE9B3AE04D4AE7220BFE16BA33A"
    "C64A2E",
    "D0144B1AX00N0000B92365342E0EC7C4332F136C6C1E160F24A0BD0FD4A59039B40B776053CAF7DB9CCD53A4C93FC0558CFC2F9CE4"
    "C73AF4EA74DDCCF59EF3A52B42A5CF0FA96673"};
static const struct pinmac_shape {
    size_t ksn_size;
    unsigned bits, ones, mac;
} shapes[2] = {{10, 21, 10, PINMAC_MAC_X919}, {12, 32, 16, PINMAC_MAC_CMAC}};

static struct {
    unsigned slot; // 0: in none
    bool ready;
    uint32_t counter;        // of the present transaction
    int64_t used;            // the highest counter used since the loading, or what it was loaded with
    unsigned loading;        // how many times loaded
} model[2];

static struct {
    unsigned kind, loading;
    size_t size;
    uint8_t bytes[PINMAC_SEALED_MAX];
} blobs[BLOBS];

static uint32_t counter_of(unsigned kind, const uint8_t *ksn) {
    const uint8_t *end = ksn + shapes[kind].ksn_size;
    uint32_t all = (uint32_t)end[-4] << 24 | (uint32_t)end[-3] << 16 | (uint32_t)end[-2] << 8 | end[-1];
    return kind == 0 ? all & 0x1FFFFF : all;
}

static void load(struct bench_input *input, unsigned kind, unsigned slot) {
    uint8_t ksn[12], kcv[PINMAC_KCV];
    struct bench_view before;
    bool good_size = bench_byte(input) % 8 != 0;
    bench_bytes(input, ksn, sizeof ksn);
    if (bench_byte(input) % 2 == 0) {
        memset(ksn + shapes[kind].ksn_size - 4, 0, 3); // the first hundred
    }
    bool good = good_size && __builtin_popcount(counter_of(kind, ksn)) <= (int)shapes[kind].ones &&
        (model[kind].slot == 0 || model[kind].slot == slot) && fake.switches.counters_stuck == 0;
    bench_look(&before);
    enum pinmac_result result = pinmac_load_dukpt(slot, initial[kind], strlen(initial[kind]), KBPK_AES, ksn,
        shapes[kind].ksn_size - !good_size, kcv);
    HOLDS((result == PINMAC_OK) == good);
    if (!good) {
        bench_unchanged(&before);
        return;
    }
    model[!kind].slot = model[!kind].slot == slot ? 0 : model[!kind].slot;
    model[kind].slot = slot;
    model[kind].ready = false;
    model[kind].counter = counter_of(kind, ksn);
    model[kind].used = model[kind].counter;
    model[kind].loading++;
}

static void next(unsigned kind) {
    uint8_t ksn[PINMAC_KSN_MAX];
    size_t size;
    if (model[kind].slot == 0) {
        return;
    }
    enum pinmac_result result = pinmac_dukpt_next(model[kind].slot, ksn, &size);
    uint64_t expected = (uint64_t)model[kind].counter + 1;
    while (__builtin_popcountll(expected) > (int)shapes[kind].ones) {
        expected += expected & (0 - expected);
    }
    bool spent = expected >> shapes[kind].bits != 0;
    HOLDS(result == (spent ? PINMAC_COUNTER_SPENT : PINMAC_OK));
    if (!spent) {
        HOLDS(size == shapes[kind].ksn_size && counter_of(kind, ksn) == expected);
        model[kind].counter = (uint32_t)expected;
        model[kind].ready = true;
    }
}

static void use(unsigned kind) {
    uint8_t mac[PINMAC_BLOCK_MAX];
    size_t size;
    if (model[kind].slot == 0) {
        return;
    }
    enum pinmac_result result =
        pinmac_mac(model[kind].slot, shapes[kind].mac, (const uint8_t *)"text", 4, mac, &size);
    if (result == PINMAC_OK) {
        HOLDS(model[kind].ready && model[kind].counter >= model[kind].used);
        model[kind].used = model[kind].counter;
    } else {
        HOLDS(result == (model[kind].ready ? PINMAC_NO_STORAGE : PINMAC_NO_TRANSACTION_KEY));
    }
}

static void seal(struct bench_input *input, unsigned kind) {
    unsigned number = bench_byte(input) % BLOBS;
    if (model[kind].slot != 0) {
        HOLDS(pinmac_seal(model[kind].slot, blobs[number].bytes, &blobs[number].size) == PINMAC_OK);
        blobs[number].kind = kind;
        blobs[number].loading = model[kind].loading;
    }
}

static uint32_t word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void unseal(struct bench_input *input, unsigned slot, bool alter) {
    enum { AT_COUNTER = 12 };
    unsigned number = bench_byte(input) % BLOBS, kind = blobs[number].kind;
    uint8_t bytes[PINMAC_SEALED_MAX], kcv[PINMAC_KCV];
    size_t size = blobs[number].size;
    struct bench_view before;
    memcpy(bytes, blobs[number].bytes, sizeof bytes);
    if (alter && size > 0) {
        size_t at = bench_byte(input) << 8 | bench_byte(input);
        uint8_t change = bench_byte(input);
        bytes[at % size] ^= change;
        size = change == 0 ? at % size : size;
    }
    uint8_t *exact = malloc(size);
    memcpy(exact, bytes, size);
    bench_look(&before);
    enum pinmac_result result = pinmac_unseal(slot, exact, size, kcv);
    free(exact);
    if (result != PINMAC_OK) {
        bench_unchanged(&before);
        return;
    }
    HOLDS(!alter && size > 0 && blobs[number].loading == model[kind].loading);
    HOLDS(model[kind].slot == 0 || model[kind].slot == slot);
    model[!kind].slot = model[!kind].slot == slot ? 0 : model[!kind].slot;
    model[kind].slot = slot;
    model[kind].ready = false;
    model[kind].counter = word(bytes + AT_COUNTER);
    // What comes next lies above all that was used.
    HOLDS(model[kind].counter >= model[kind].used);
}

static void prepare(void) {
    static bool ready;
    if (!ready) {
        ready = true;
        bench_inject_all();
    }
    pinmac_erase(ONE);
    pinmac_erase(TWO);
    memset(model, 0, sizeof model);
    memset(blobs, 0, sizeof blobs);
    // The counters forget, since all that they guarded is gone.
    memset(fake.stores.counter, 0, sizeof fake.stores.counter);
    fake.switches.counters_stuck = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bench_input input = {data, size};
    prepare();
    for (unsigned step = 0; step < STEPS_MAX && input.left > 0; step++) {
        unsigned byte = bench_byte(&input), kind = byte >> 4 & 1, slot = (byte >> 5 & 1) != 0 ? TWO : ONE;
        switch ((enum call)(byte % 16 % CALLS)) {
            case LOAD:
                load(&input, kind, slot);
                break;
            case NEXT:
            case NEXT_AGAIN:
                next(kind);
                break;
            case USE:
                use(kind);
                break;
            case SEAL:
                seal(&input, kind);
                break;
            case UNSEAL:
                unseal(&input, slot, false);
                break;
            case ALTER:
                unseal(&input, slot, true);
                break;
            case ERASE:
                HOLDS(pinmac_erase(slot) == PINMAC_OK);
                for (unsigned i = 0; i < 2; i++) {
                    model[i].slot = model[i].slot == slot ? 0 : model[i].slot;
                }
                break;
            default:
                fake.switches.counters_stuck ^= 1;
        }
    }
    return 0;
}
