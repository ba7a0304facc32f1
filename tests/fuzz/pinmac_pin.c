// Fuzzes PIN entry: a sequence of calls, an hour of them, beside a model of the entry that counts
// digits and knows none. Whatever ends an entry, afterwards none is open.
#include "pinmac_bench.h"

enum { PIN_TDES = FIRST_FREE, PIN_AES, PIN_SM4, DATA, EMPTY, ENTRY_MS = 60000 };
enum call { BEGIN, DIGIT, DIGIT_AGAIN, BACK, LENGTH, CANCEL, BLOCK, OFFLINE, WAIT, ENTROPY, CALLS };

static struct {
    bool open;
    unsigned length, shortest, longest;
    uint32_t opened_at;
} model;

static void prepare(void) {
    static const uint8_t cryptogram[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static bool ready;
    uint8_t kcv[4] = {0};
    if (!ready) {
        ready = true;
        bench_inject_all();
        HOLDS(pinmac_generate(PIN_AES, "P0", PINMAC_AES, kcv) == PINMAC_OK);
        HOLDS(pinmac_generate(PIN_SM4, "P0", PINMAC_SM4, kcv) == PINMAC_OK);
        HOLDS(pinmac_generate(PIN_TDES, "P0", PINMAC_TDES, kcv) == PINMAC_OK);
        HOLDS(pinmac_generate(DATA, "D0", PINMAC_AES, kcv) == PINMAC_OK);
        HOLDS(pinmac_load_working(EMPTY, "P0", cryptogram, 16, MASTER, kcv, 4) == PINMAC_BAD_CHECK_VALUE);
    }
    pinmac_pin_cancel();
    memset(&model, 0, sizeof model);
    fake.switches.random_left = FAKE_UNLIMITED;
    fake.switches.pin_entry_ms = ENTRY_MS;
}

static bool is_late(void) {
    return fake.switches.now_ms - model.opened_at > ENTRY_MS;
}

// What the entry itself says to a call, before the call looks at anything else.
static enum pinmac_result entry(void) {
    if (!model.open) {
        return PINMAC_NO_PIN_ENTRY;
    }
    model.open = !is_late();
    return model.open ? PINMAC_OK : PINMAC_PIN_EXPIRED;
}

static void begin(struct bench_input *input) {
    model.shortest = bench_byte(input) % 16;
    model.longest = bench_byte(input) % 16;
    model.length = 0;
    model.opened_at = fake.switches.now_ms;
    model.open = model.shortest >= 4 && model.longest <= 12 && model.shortest <= model.longest;
    enum pinmac_result result = pinmac_pin_begin(model.shortest, model.longest);
    HOLDS(result == (model.open ? PINMAC_OK : PINMAC_BAD_PIN_LENGTHS));
}

static void digit(struct bench_input *input) {
    unsigned pressed = bench_byte(input), length = 99;
    pressed = pressed < 250 ? pressed % 10 : pressed << 24 | pressed;
    enum pinmac_result expected = entry();
    if (expected == PINMAC_OK && pressed > 9) {
        expected = PINMAC_BAD_DIGIT;
    } else if (expected == PINMAC_OK) {
        expected = model.length == model.longest ? PINMAC_PIN_FULL : PINMAC_OK;
        model.length += expected == PINMAC_OK;
    }
    HOLDS(pinmac_pin_digit(pressed, &length) == expected);
    HOLDS(length == (expected == PINMAC_OK ? model.length : 99));
}

static void back_or_length(bool back) {
    unsigned length;
    enum pinmac_result expected = entry();
    model.length -= back && expected == PINMAC_OK && model.length > 0;
    HOLDS((back ? pinmac_pin_back(&length) : pinmac_pin_length(&length)) == expected);
    HOLDS(length == (expected == PINMAC_OK ? model.length : 0));
}

static void over(void) {
    unsigned length;
    model.open = false;
    HOLDS(pinmac_pin_length(&length) == PINMAC_NO_PIN_ENTRY && length == 0);
}

static bool is_pan(const char *pan, size_t length, size_t shortest) {
    return strspn(pan, "0123456789") == length && length >= shortest && length <= 19;
}

static void block(struct bench_input *input) {
    unsigned slot = FIRST_FREE + bench_byte(input) % 6;
    int format = bench_byte(input) % 8 - 1;
    char pan[32] = {0};
    uint8_t out[PINMAC_PIN_BLOCK_MAX];
    size_t length = bench_byte(input) % 24, size = 99;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bench_byte(input);
        pan[i] = (char)(byte < 250 ? '0' + byte % 10 : byte);
    }
    memset(out, 0xA5, sizeof out);
    bool wide = slot == PIN_AES || slot == PIN_SM4;
    bool good = entry() == PINMAC_OK && model.length >= model.shortest && fake.switches.random_left > 0 &&
        ((slot == PIN_TDES && (format == 0 || format == 1 || format == 3)) || (wide && format == 4)) &&
        (format == 1 || is_pan(pan, length, wide ? 1 : 13)) && memchr(pan, 0, length) == NULL;
    good = good || (format == 1 && entry() == PINMAC_OK && slot == PIN_TDES &&
        model.length >= model.shortest && fake.switches.random_left > 0);
    enum pinmac_result result = pinmac_pin_block(slot, format, pan, length, out, &size);
    HOLDS((result == PINMAC_OK) == good);
    HOLDS(size == (good ? (wide ? 16u : 8u) : 99u));
    for (size_t i = good ? size : 0; i < sizeof out; i++) {
        HOLDS(out[i] == 0xA5);
    }
    over();
}

static void offline(struct bench_input *input) {
    uint8_t modulus[PINMAC_PIN_MODULUS_MIN], number[8] = {0}, out[PINMAC_PIN_MODULUS_MIN];
    memset(modulus, 0xFF, sizeof modulus);
    size_t number_size = bench_byte(input) % 4 == 0 ? 7 : 8;
    bool good = entry() == PINMAC_OK && model.length >= model.shortest && number_size == 8 &&
        fake.switches.random_left > 0;
    enum pinmac_result result = pinmac_pin_enciphered(modulus, sizeof modulus, 3, number, number_size, out);
    HOLDS((result == PINMAC_OK) == good);
    over();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bench_input input = {data, size};
    struct bench_view before;
    prepare();
    bench_look(&before);
    while (input.left > 0) {
        switch ((enum call)(bench_byte(&input) % CALLS)) {
            case BEGIN:
                begin(&input);
                break;
            case DIGIT:
            case DIGIT_AGAIN:
                digit(&input);
                break;
            case BACK:
                back_or_length(true);
                break;
            case LENGTH:
                back_or_length(false);
                break;
            case CANCEL:
                pinmac_pin_cancel();
                over();
                break;
            case BLOCK:
                block(&input);
                break;
            case OFFLINE:
                offline(&input);
                break;
            case WAIT:
                fake.switches.now_ms += 256u * bench_byte(&input);
                break;
            default:
                fake.switches.random_left = bench_byte(&input) % 4 == 0 ? 0 : FAKE_UNLIMITED;
        }
    }
    pinmac_pin_cancel();
    over();
    bench_unchanged(&before);
    return 0;
}
