// MAC_CUP: all blocks XORed to R; E1 = E(H[0:8]), E2 = E(E1 ^ H[8:16]) with H = hex(R); hex(E2)[0:8].
// For SM4 the blocks and the halves of H are twice as long.
//
// The XOR makes the order of the blocks invisible to the MAC: only TLS protects that.
#include "mac_cup.h"

#include <string.h>

#include "secure.h"

void pinmac_cup_init(
    struct pinmac_cup *cup, enum pinmac_algorithm algorithm, const uint8_t *key, size_t size) {
    memset(cup->folded, 0, sizeof cup->folded);
    cup->column = 0;
    pinmac_cipher_init(&cup->cipher, algorithm, key, size);
}

void pinmac_cup_update(struct pinmac_cup *cup, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        cup->folded[cup->column] = (uint8_t)(cup->folded[cup->column] ^ data[i]);
        cup->column = (cup->column + 1) % cup->cipher.block_size;
    }
}

static void to_hex(uint8_t *text, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = pinmac_hex(bytes[i] >> 4);
        text[2 * i + 1] = pinmac_hex(bytes[i] & 0xFu);
    }
}

void pinmac_cup_final(struct pinmac_cup *cup, uint8_t mac[PINMAC_CUP_SIZE]) {
    uint8_t text[2 * PINMAC_BLOCK_MAX];
    size_t half = cup->cipher.block_size;
    to_hex(text, cup->folded, half);
    pinmac_cipher_encrypt(&cup->cipher, text);
    pinmac_xor(text, text + half, half);
    pinmac_cipher_encrypt(&cup->cipher, text);
    to_hex(mac, text, PINMAC_CUP_SIZE / 2);
    pinmac_wipe(text, sizeof text);
    pinmac_wipe(cup, sizeof *cup);
}
