// X9.143 key blocks, key derivation binding method: encrypt-and-MAC with two keys that CMAC derives
// from the key block protection key. The MAC is over the header and the clear data, and is the IV.
#include "tr31.h"

#include <string.h>

#include "secure.h"
#include "work.h"

enum derived_use { USE_ENCRYPTION = 0, USE_MAC = 1 };
enum {
    LENGTH_FIELD = 2,     // the key's length in bits, before the key
    OPTIONAL_HEADER = 4,  // identifier and length of an optional block
    EXTENDED_HEADER = 10, // the same with the length in its longer form
};

// The schedules alone: a key on its way in or out may lie in the work area too.
static void wipe_schedules(void) {
    pinmac_wipe(&pinmac_work.keys.cipher, sizeof pinmac_work.keys.cipher);
    pinmac_wipe(&pinmac_work.keys.cmac, sizeof pinmac_work.keys.cmac);
}

// The version a protection key makes and opens.
static char version_of(const struct pinmac_key *protection) {
    return protection->algorithm == PINMAC_AES ? 'D' : 'B';
}

static size_t block_size_of(char version) {
    return version == 'D' ? PINMAC_AES_BLOCK : PINMAC_DES_BLOCK;
}

// X9.143 7.2.1.1 for AES, 7.2.2.1 for TDES (TR-31:2010 5.3.2.1): counter, usage, separator, algorithm
// (TDES of two keys 0, of three 1; AES-128 2, AES-192 3, AES-256 4), length in bits; CMACs until full.
static void derive(const struct pinmac_key *protection, enum derived_use use, uint8_t *derived) {
    struct pinmac_cmac *cmac = &pinmac_work.keys.cmac;
    size_t block_size = block_size_of(version_of(protection));
    unsigned size = protection->size, bits = 8 * size;
    unsigned algorithm = protection->algorithm == PINMAC_AES ? size / 8 : size / 8 - 2;
    uint8_t input[8] = {
        0, 0, (uint8_t)use, 0, 0, (uint8_t)algorithm, (uint8_t)(bits >> 8), (uint8_t)bits};
    for (size_t at = 0; at < size; at += block_size) {
        input[0]++;
        pinmac_cmac_init(cmac, protection->algorithm, protection->value, size);
        pinmac_cmac_update(cmac, input, sizeof input);
        pinmac_cmac_final(cmac, derived + at);
    }
}

// Ready the work area: its cipher has the encryption key, its MAC has taken the header.
static void begin(const struct pinmac_key *protection, const char *header, size_t header_size) {
    uint8_t derived[PINMAC_KEY_MAX];
    derive(protection, USE_ENCRYPTION, derived);
    pinmac_cipher_init(&pinmac_work.keys.cipher, protection->algorithm, derived, protection->size);
    derive(protection, USE_MAC, derived);
    pinmac_cmac_init(&pinmac_work.keys.cmac, protection->algorithm, derived, protection->size);
    pinmac_cmac_update(&pinmac_work.keys.cmac, (const uint8_t *)header, header_size);
    pinmac_wipe(derived, sizeof derived);
}

// The header's letters (X9.143 6.3.2). SM4 has none there: S is DSA's, whose keys no slot can hold.
// Its use for SM4 is this project's own, for sealing only.
static char letter_of(unsigned algorithm) {
    static const char letters[] = {
        [PINMAC_DES] = 'D', [PINMAC_TDES] = 'T', [PINMAC_AES] = 'A', [PINMAC_SM4] = 'S'};
    return letters[algorithm];
}

static uint8_t algorithm_of(char letter) {
    unsigned algorithm = PINMAC_SM4;
    while (algorithm > 0 && letter_of(algorithm) != letter) {
        algorithm--;
    }
    return (uint8_t)algorithm;
}

static char *put_hex(char *text, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        *text++ = (char)pinmac_hex(bytes[i] >> 4);
        *text++ = (char)pinmac_hex(bytes[i] & 0xFu);
    }
    return text;
}

// Upper case only: a second spelling of a block would be a second block.
static bool is_hex(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'F'))) {
            return false;
        }
    }
    return true;
}

static unsigned hex_value(char digit) {
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'A' + 10);
}

static void get_hex(uint8_t *bytes, size_t size, const char *text) {
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    }
}

// A decimal number of that many digits; where one is not a digit, a number larger than any block.
static size_t get_decimal(const char *text, size_t digits) {
    size_t number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return SIZE_MAX;
        }
        number = 10 * number + (size_t)(text[i] - '0');
    }
    return number;
}

static bool is_alphanumeric(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char folded = (char)(text[i] | 0x20);
        if (!((text[i] >= '0' && text[i] <= '9') || (folded >= 'a' && folded <= 'z'))) {
            return false;
        }
    }
    return true;
}

static bool is_printable(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return true;
}

// The length of the optional block at `text`, of which `room` characters may be read; 0 when it is
// malformed. X9.143 6.3.6: identifier, then the length of the whole in two hexadecimal digits, or
// "00", "02" and the length in the digits of two bytes; then printable ASCII.
static size_t optional_size(const char *text, size_t room) {
    uint8_t length[2] = {0, 0};
    size_t header = OPTIONAL_HEADER;
    if (room < OPTIONAL_HEADER || !is_alphanumeric(text, 2) || !is_hex(text + 2, 2)) {
        return 0;
    }
    get_hex(length + 1, 1, text + 2);
    if (length[1] == 0) {
        header = EXTENDED_HEADER;
        if (room < EXTENDED_HEADER || memcmp(text + 4, "02", 2) != 0 || !is_hex(text + 6, 4)) {
            return 0;
        }
        get_hex(length, sizeof length, text + 6);
    }
    size_t size = (size_t)length[0] << 8 | length[1];
    bool fits = size >= header && size <= room;
    return fits && is_printable(text + header, size - header) ? size : 0;
}

// Is the identifier of the optional block at `at` that of one before it?
static bool is_repeated(const char *block, size_t at) {
    for (size_t i = PINMAC_TR31_HEADER; i < at; i += optional_size(block + i, at - i)) {
        if (memcmp(block + i, block + at, 2) == 0) {
            return true;
        }
    }
    return false;
}

// The size of the header with its `count` optional blocks; 0 when one is malformed. No identifier
// comes twice, and the padding block PB comes last (X9.143 6.3.6).
static size_t whole_header(const char *block, size_t size, size_t count) {
    size_t at = PINMAC_TR31_HEADER;
    for (; count > 0; count--) {
        size_t taken = optional_size(block + at, size - at);
        if (taken == 0 || is_repeated(block, at) ||
                (count > 1 && memcmp(block + at, "PB", 2) == 0)) {
            return 0;
        }
        at += taken;
    }
    return at;
}

// Take the header's terms. Returns the size of the header when the whole block has the form of one
// that this protection key makes, and 0 otherwise; nothing is authentic yet.
static size_t get_header(const struct pinmac_key *protection, const char *block, size_t size,
    struct pinmac_key *key) {
    char version = version_of(protection);
    size_t unit = block_size_of(version);
    if (size < PINMAC_TR31_HEADER || size > PINMAC_TR31_IMPORT_MAX ||
            block[0] != version || get_decimal(block + 1, 4) != size ||
            !is_alphanumeric(block + 5, 7) || memcmp(block + 14, "00", 2) != 0) {
        return 0;
    }
    memcpy(key->usage, block + 5, 2);
    key->algorithm = algorithm_of(block[7]);
    key->mode = block[8];
    memcpy(key->version, block + 9, 2);
    key->exportability = block[11];
    size_t header = whole_header(block, size, get_decimal(block + 12, 2));
    size_t body = size - header, least = 2 * (unit + unit);
    bool formed = key->algorithm != 0 && header != 0 && header % unit == 0 && body >= least &&
        body % (2 * unit) == 0 && is_hex(block + header, body);
    return formed ? header : 0;
}

static void put_header(char *block, const struct pinmac_key *key, size_t size) {
    block[0] = 'D';
    block[1] = '0';
    block[2] = (char)('0' + size / 100);
    block[3] = (char)('0' + size / 10 % 10);
    block[4] = (char)('0' + size % 10);
    memcpy(block + 5, key->usage, 2);
    block[7] = letter_of(key->algorithm);
    block[8] = key->mode;
    memcpy(block + 9, key->version, 2);
    block[11] = key->exportability;
    memcpy(block + 12, "0000", 4);
}

size_t pinmac_tr31_wrap(const struct pinmac_key *protection, const struct pinmac_key *key,
    const uint8_t *padding, char *block) {
    uint8_t clear[PINMAC_TR31_DATA_MAX], mac[PINMAC_TR31_MAC], chain[PINMAC_TR31_MAC];
    size_t data_size = key->algorithm == PINMAC_AES ? 48 : 32;
    size_t total = PINMAC_TR31_HEADER + 2 * (data_size + PINMAC_TR31_MAC);
    put_header(block, key, total);
    memcpy(clear, padding, data_size);
    clear[0] = (uint8_t)(8u * key->size >> 8);
    clear[1] = (uint8_t)(8u * key->size);
    memcpy(clear + LENGTH_FIELD, key->value, key->size);
    begin(protection, block, PINMAC_TR31_HEADER);
    pinmac_cmac_update(&pinmac_work.keys.cmac, clear, data_size);
    pinmac_cmac_final(&pinmac_work.keys.cmac, mac);
    memcpy(chain, mac, sizeof chain);
    pinmac_cbc_encrypt(&pinmac_work.keys.cipher, chain, clear, data_size);
    put_hex(put_hex(block + PINMAC_TR31_HEADER, clear, data_size), mac, sizeof mac);
    wipe_schedules();
    return total;
}

// Decipher the `data_size` bytes behind the header, block by block: all of them go into the MAC, the
// first PINMAC_TR31_DATA_MAX into `clear`; what comes after is padding. True when the MAC is right.
static bool open_data(const char *text, size_t data_size, size_t unit, uint8_t *clear) {
    uint8_t mac[PINMAC_BLOCK_MAX], chain[PINMAC_BLOCK_MAX], piece[PINMAC_BLOCK_MAX];
    get_hex(mac, unit, text + 2 * data_size);
    memcpy(chain, mac, unit);
    for (size_t at = 0; at < data_size; at += unit) {
        get_hex(piece, unit, text + 2 * at);
        pinmac_cbc_decrypt(&pinmac_work.keys.cipher, chain, piece, unit);
        pinmac_cmac_update(&pinmac_work.keys.cmac, piece, unit);
        if (at < PINMAC_TR31_DATA_MAX) {
            memcpy(clear + at, piece, unit);
        }
    }
    // The right MAC of a forged block is a secret: it is compared, wiped and never said.
    pinmac_cmac_final(&pinmac_work.keys.cmac, piece);
    bool authentic = pinmac_equal(mac, piece, unit);
    pinmac_wipe(piece, sizeof piece);
    return authentic;
}

// The data is authentic, so its length may be looked at.
static bool take_key(const uint8_t *clear, size_t data_size, struct pinmac_key *key) {
    unsigned bits = (unsigned)clear[0] << 8 | clear[1];
    PINMAC_DECLASSIFY(bits);
    if (bits % 8 != 0 || !pinmac_key_size_ok(key->algorithm, bits / 8) ||
            LENGTH_FIELD + bits / 8 > data_size) {
        return false;
    }
    key->size = (uint8_t)(bits / 8);
    memcpy(key->value, clear + LENGTH_FIELD, key->size);
    return true;
}

bool pinmac_tr31_unwrap(
    const struct pinmac_key *protection, const char *block, size_t size, struct pinmac_key *key) {
    bool taken = false;
    pinmac_wipe(key, sizeof *key);
    size_t header = get_header(protection, block, size, key);
    if (header != 0) {
        uint8_t clear[PINMAC_TR31_DATA_MAX];
        size_t unit = block_size_of(block[0]), data_size = (size - header) / 2 - unit;
        begin(protection, block, header);
        taken = open_data(block + header, data_size, unit, clear) && take_key(clear, data_size, key);
        pinmac_wipe(clear, sizeof clear);
        wipe_schedules();
    }
    if (!taken) {
        pinmac_wipe(key, sizeof *key);
    }
    return taken;
}
