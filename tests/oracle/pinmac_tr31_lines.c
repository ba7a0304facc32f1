// Wraps and unwraps what it reads, a line each, in memory of exactly the size needed, so that a
// sanitizer sees any byte too far. Numbers are decimal, everything else is hexadecimal:
//
//   u PROTECTION_ALGORITHM PROTECTION_KEY BLOCK        answers with struct pinmac_key, or "refused"
//   w PROTECTION_ALGORITHM PROTECTION_KEY KEY PADDING  KEY is struct pinmac_key; answers with the block
//
// Compiled with PINMAC_MEMCHECK, the values of keys and the padding are undefined for valgrind until
// the answer is written. To show that the checks can fail, the argument "leak" makes it branch on a
// key, "beyond" read past the end of one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secure.h"
#include "core/tr31.h"

#ifdef PINMAC_MEMCHECK
#define SECRET(memory, size) VALGRIND_MAKE_MEM_UNDEFINED(memory, size)
#define ANSWERED(memory, size) VALGRIND_MAKE_MEM_DEFINED(memory, size)
#else
#define SECRET(memory, size) ((void)0)
#define ANSWERED(memory, size) ((void)0)
#endif

enum { LINE = 8192, FIELDS = 5 };

static unsigned char *bytes_of(const char *hex, size_t *size) {
    *size = strlen(hex) / 2;
    unsigned char *bytes = malloc(*size);
    for (size_t i = 0; i < *size; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) {
            exit(2);
        }
        bytes[i] = (unsigned char)byte;
    }
    return bytes;
}

static void answer(const void *memory, size_t size) {
    const unsigned char *bytes = memory;
    ANSWERED(memory, size);
    for (size_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
    putchar('\n');
}

static void unwrap(const struct pinmac_key *protection, const char *hex) {
    struct pinmac_key key;
    size_t size;
    unsigned char *block = bytes_of(hex, &size);
    memset(&key, 0xA5, sizeof key);
    bool opened = pinmac_tr31_unwrap(protection, (const char *)block, size, &key);
    if (opened) {
        answer(&key, sizeof key);
    } else {
        static const struct pinmac_key empty;
        ANSWERED(&key, sizeof key);
        puts(memcmp(&key, &empty, sizeof key) == 0 ? "refused" : "refused, not wiped");
    }
    free(block);
}

static void wrap(const struct pinmac_key *protection, const char *key_hex, const char *padding_hex) {
    size_t size, padding_size;
    char *block = malloc(PINMAC_TR31_MAX);
    unsigned char *key = bytes_of(key_hex, &size), *padding = bytes_of(padding_hex, &padding_size);
    if (size != sizeof(struct pinmac_key) || padding_size != PINMAC_TR31_DATA_MAX) {
        exit(2);
    }
    SECRET(((struct pinmac_key *)(void *)key)->value, PINMAC_KEY_MAX);
    SECRET(padding, padding_size);
    answer(block, pinmac_tr31_wrap(protection, (struct pinmac_key *)(void *)key, padding, block));
    free(padding);
    free(key);
    free(block);
}

int main(int count, char **arguments) {
    static char line[LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *field[FIELDS];
        size_t fields = 0, size;
        for (char *at = line; fields < FIELDS; at = NULL) {
            char *found = strtok(at, " \n");
            field[fields++] = found == NULL ? line + strlen(line) : found;
        }
        unsigned char *value = bytes_of(field[2], &size);
        struct pinmac_key protection = {.algorithm = (uint8_t)atoi(field[1]), .size = (uint8_t)size};
        memcpy(protection.value, value, size);
        SECRET(protection.value, sizeof protection.value);
        if (field[0][0] == 'u') {
            unwrap(&protection, field[3]);
        } else {
            wrap(&protection, field[3], field[4]);
        }
        if (count > 1 && strcmp(arguments[1], "leak") == 0) {
            puts(protection.value[3] > 0x40 ? "more" : "less");
        }
        if (count > 1 && strcmp(arguments[1], "beyond") == 0) {
            puts(value[size] > 0x40 ? "more" : "less");
        }
        free(value);
    }
    return 0;
}
