// ANSI X9.24-1:2009 Annex A: non-reversible key generation and the variants.
#include "dukpt_tdes.h"

#include <string.h>

#include "secure.h"

enum { HALF = PINMAC_DES_BLOCK };

// One half of the new key: the serial number XOR the right half, DES under the left half, XOR the
// right half again.
static void derive_half(struct pinmac_cipher *cipher, const uint8_t key[2 * HALF], const uint8_t *serial, uint8_t *half) {
    memcpy(half, serial, HALF);
    pinmac_xor(half, key + HALF, HALF);
    pinmac_cipher_init(cipher, PINMAC_DES, key, HALF);
    pinmac_cipher_encrypt(cipher, half);
    pinmac_xor(half, key + HALF, HALF);
}

void pinmac_dukpt_tdes_derive(struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY],
    const uint8_t ksn[PINMAC_DUKPT_TDES_KSN]) {
    static const uint8_t mask[PINMAC_DUKPT_KEY] = {
        0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0, 0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0};
    const uint8_t *serial = ksn + PINMAC_DUKPT_TDES_KSN - HALF;
    uint8_t derived[PINMAC_DUKPT_KEY];
    derive_half(cipher, key, serial, derived + HALF);
    pinmac_xor(key, mask, sizeof mask);
    derive_half(cipher, key, serial, derived);
    memcpy(key, derived, sizeof derived);
    pinmac_wipe(derived, sizeof derived);
}

void pinmac_dukpt_tdes_session(
    struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY], enum pinmac_dukpt_purpose purpose) {
    // The byte of each half that the variant inverts.
    static const uint8_t inverted[] = {[PINMAC_DUKPT_PIN] = 7, [PINMAC_DUKPT_MAC] = 6,
        [PINMAC_DUKPT_MAC_RESPONSE] = 4, [PINMAC_DUKPT_DATA] = 5, [PINMAC_DUKPT_DATA_RESPONSE] = 3};
    key[inverted[purpose]] ^= 0xFF;
    key[HALF + inverted[purpose]] ^= 0xFF;
    if (purpose == PINMAC_DUKPT_DATA || purpose == PINMAC_DUKPT_DATA_RESPONSE) {
        pinmac_cipher_init(cipher, PINMAC_TDES, key, PINMAC_DUKPT_KEY);
        pinmac_cipher_encrypt(cipher, key);
        pinmac_cipher_encrypt(cipher, key + HALF);
    }
}
