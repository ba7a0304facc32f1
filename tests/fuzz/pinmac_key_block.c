// Fuzzes the import of key blocks and the unsealing of sealed ones.
//
// The first byte says how: raw bytes under a protection key or as a sealed key, which must be refused
// unless they are a block that was made here; or a header and clear data around which this file makes
// the MAC, so that the checks behind it are reached.
#include "pinmac_bench.h"

#include "core/cipher.h"

enum { TARGET = FIRST_FREE, SOURCE, ROOM = 600, HEADER = 16 };
enum how { RAW_AES, RAW_TDES, SEALED, MADE_AES, MADE_TDES, HOWS };

// A block that is authentic, of each kind of raw input.
static uint8_t genuine[SEALED + 1][PINMAC_SEALED_MAX];
static size_t genuine_size[SEALED + 1];

// X9.143 7.2: the two derived keys, the MAC over header and clear data, CBC under it.
static size_t make(bool aes, const uint8_t *header, size_t header_size, const uint8_t *clear, size_t clear_size,
    char *block) {
    enum pinmac_algorithm algorithm = aes ? PINMAC_AES : PINMAC_TDES;
    const uint8_t *key = aes ? bench_aes : bench_tdes;
    size_t size = aes ? 32 : 16, unit = aes ? 16 : 8;
    uint8_t derived[2][32], mac[16], chain[16], body[ROOM];
    struct pinmac_cmac cmac;
    struct pinmac_cipher cipher;
    for (unsigned use = 0; use < 2; use++) {
        for (size_t at = 0; at < size; at += unit) {
            uint8_t input[8] = {(uint8_t)(1 + at / unit), 0, (uint8_t)use, 0, 0, aes ? 4 : 0,
                (uint8_t)(8 * size >> 8), (uint8_t)(8 * size)};
            pinmac_cmac_init(&cmac, algorithm, key, size);
            pinmac_cmac_update(&cmac, input, sizeof input);
            pinmac_cmac_final(&cmac, derived[use] + at);
        }
    }
    pinmac_cmac_init(&cmac, algorithm, derived[1], size);
    pinmac_cmac_update(&cmac, header, header_size);
    pinmac_cmac_update(&cmac, clear, clear_size);
    pinmac_cmac_final(&cmac, mac);
    memcpy(chain, mac, unit);
    memcpy(body, clear, clear_size);
    pinmac_cipher_init(&cipher, algorithm, derived[0], size);
    pinmac_cbc_encrypt(&cipher, chain, body, clear_size);
    memcpy(body + clear_size, mac, unit);
    memcpy(block, header, header_size);
    for (size_t i = 0; i < clear_size + unit; i++) {
        sprintf(block + header_size + 2 * i, "%02X", body[i]);
    }
    return header_size + 2 * (clear_size + unit);
}

static void prepare(void) {
    static bool ready;
    char block[ROOM + 1];
    uint8_t kcv[PINMAC_KCV], clear[24] = {0, 128, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    if (ready) {
        return;
    }
    ready = true;
    bench_inject_all();
    HOLDS(pinmac_generate(SOURCE, "D0", PINMAC_AES, kcv) == PINMAC_OK);
    HOLDS(pinmac_export_block(SOURCE, KBPK_AES, (char *)genuine[RAW_AES], &genuine_size[RAW_AES]) == PINMAC_OK);
    HOLDS(pinmac_seal(SOURCE, genuine[SEALED], &genuine_size[SEALED]) == PINMAC_OK);
    genuine_size[RAW_TDES] = make(false, (const uint8_t *)"B0080P0TE00E0000", HEADER, clear, sizeof clear, block);
    memcpy(genuine[RAW_TDES], block, genuine_size[RAW_TDES]);
    HOLDS(pinmac_load_block(TARGET, block, genuine_size[RAW_TDES], KBPK_TDES, kcv) == PINMAC_OK);
}

static enum pinmac_result put(enum how how, const uint8_t *block, size_t size, uint8_t kcv[PINMAC_KCV]) {
    // A copy without a byte to spare.
    uint8_t *exact = malloc(size);
    memcpy(exact, block, size);
    enum pinmac_result result = how == SEALED ? pinmac_unseal(TARGET, exact, size, kcv)
        : pinmac_load_block(TARGET, (char *)exact, size,
              how == RAW_AES || how == MADE_AES ? KBPK_AES : KBPK_TDES, kcv);
    free(exact);
    return result;
}

// Put in a block and see that it was refused whole, or is what its header says. Was it taken?
static bool judge(enum how how, const uint8_t *block, size_t size) {
    struct bench_view before;
    struct pinmac_info info;
    uint8_t kcv[PINMAC_KCV], again[PINMAC_KCV];
    bench_look(&before);
    if (put(how, block, size, kcv) != PINMAC_OK) {
        bench_unchanged(&before);
        return false;
    }
    HOLDS(pinmac_info(TARGET, &info) == PINMAC_OK && info.complete);
    HOLDS(memcmp(info.usage, block + 5, 2) == 0 && info.mode == block[8] && info.exportability == block[11]);
    HOLDS(memcmp(info.version, block + 9, 2) == 0 && pinmac_key_size_ok(info.algorithm, info.size));
    HOLDS(pinmac_kcv(TARGET, again) == PINMAC_OK && memcmp(kcv, again, sizeof kcv) == 0);
    HOLDS(pinmac_erase(TARGET) == PINMAC_OK);
    return true;
}

static void made(enum how how, struct bench_input *input) {
    uint8_t header[ROOM], clear[ROOM];
    char block[ROOM + 1];
    bool aes = how == MADE_AES;
    size_t unit = aes ? 16 : 8;
    size_t clear_size = unit * (bench_byte(input) % 6), header_size = HEADER + bench_byte(input) % 128;
    bool good_length = bench_byte(input) % 8 != 0;
    bench_bytes(input, clear, clear_size);
    memset(header, '0', sizeof header);
    for (size_t i = 0; i < header_size && input->left > 0; i++) {
        header[i] = bench_byte(input);
    }
    if (good_length) {
        char length[8];
        sprintf(length, "%04u", (unsigned)(header_size + 2 * (clear_size + unit)));
        memcpy(header + 1, length, 4);
    }
    size_t size = make(aes, header, header_size, clear, clear_size, block);
    if (judge(how, (uint8_t *)block, size)) {
        // Taken: then the length of its data was that of a key.
        size_t bits = (size_t)clear[0] << 8 | clear[1];
        HOLDS(header[0] == (aes ? 'D' : 'B') && bits % 8 == 0 && bits / 8 + 2 <= clear_size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bench_input input = {data, size};
    prepare();
    enum how how = bench_byte(&input) % HOWS;
    if (how >= MADE_AES) {
        made(how, &input);
    } else if (judge(how, input.data, input.left)) {
        HOLDS(input.left == genuine_size[how] && memcmp(input.data, genuine[how], input.left) == 0);
    } else if (input.left == genuine_size[how]) {
        HOLDS(memcmp(input.data, genuine[how], input.left) != 0);
    }
    // A genuine block with one byte changed where the input says.
    if (how < MADE_AES && input.left >= 3) {
        uint8_t changed[PINMAC_SEALED_MAX];
        memcpy(changed, genuine[how], genuine_size[how]);
        changed[(input.data[0] << 8 | input.data[1]) % genuine_size[how]] ^= input.data[2];
        HOLDS(judge(how, changed, genuine_size[how]) == (input.data[2] == 0));
    }
    return 0;
}
