// Wiping, constant-time comparison and hexadecimal digits.
#include "secure.h"

enum { SPILLED_BYTES = 2048 };

void pinmac_wipe(void *memory, size_t size) {
    volatile uint8_t *byte = memory;
    // Whole words where the memory is aligned for them.
    for (; size >= sizeof(uint32_t) && (uintptr_t)byte % sizeof(uint32_t) == 0; size -= sizeof(uint32_t)) {
        *(volatile uint32_t *)(void *)(uintptr_t)byte = 0;
        byte += sizeof(uint32_t);
    }
    while (size-- > 0) {
        *byte++ = 0;
    }
}

void pinmac_wipe_stack(void) {
    uint32_t below[SPILLED_BYTES / sizeof(uint32_t)];
    pinmac_wipe(below, sizeof below);
}

bool pinmac_equal(const uint8_t *a, const uint8_t *b, size_t size) {
    uint8_t difference = 0;
    for (size_t i = 0; i < size; i++) {
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    }
    bool equal = ((difference - 1u) >> 31) != 0;
    PINMAC_DECLASSIFY(equal);
    return equal;
}

uint8_t pinmac_hex(unsigned nibble) {
    // 9 - nibble borrows for A-F, and 'A' lies 7 beyond the character after '9'.
    return (uint8_t)('0' + nibble + (((9u - nibble) >> 8) & 7u));
}

void pinmac_xor(uint8_t *into, const uint8_t *from, size_t size) {
    for (size_t i = 0; i < size; i++) {
        into[i] = (uint8_t)(into[i] ^ from[i]);
    }
}
