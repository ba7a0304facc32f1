// ANSI X9.24-3:2017 6.3: derivation data enciphered under the key above.
#include "dukpt_aes.h"

#include <string.h>

#include "secure.h"

// 6.3.2, "Create Derivation Data": version, block counter, usage, algorithm AES-128, length in bits,
// the right half of the initial key ID, transaction counter.
static void derive(struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY],
    const uint8_t ksn[PINMAC_DUKPT_AES_KSN], uint16_t usage) {
    uint8_t data[PINMAC_AES_BLOCK] = {1, 1, (uint8_t)(usage >> 8), (uint8_t)usage, 0, 2, 0, 128};
    memcpy(data + 8, ksn + PINMAC_DUKPT_AES_KSN - 8, 8);
    pinmac_cipher_init(cipher, PINMAC_AES, key, PINMAC_DUKPT_KEY);
    pinmac_cipher_encrypt(cipher, data);
    memcpy(key, data, sizeof data);
    pinmac_wipe(data, sizeof data);
}

void pinmac_dukpt_aes_derive(struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY],
    const uint8_t ksn[PINMAC_DUKPT_AES_KSN]) {
    derive(cipher, key, ksn, 0x8000);
}

void pinmac_dukpt_aes_session(struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY],
    const uint8_t ksn[PINMAC_DUKPT_AES_KSN], enum pinmac_dukpt_purpose purpose) {
    static const uint16_t usage[] = {[PINMAC_DUKPT_PIN] = 0x1000, [PINMAC_DUKPT_MAC] = 0x2000,
        [PINMAC_DUKPT_MAC_RESPONSE] = 0x2001, [PINMAC_DUKPT_DATA] = 0x3000, [PINMAC_DUKPT_DATA_RESPONSE] = 0x3001};
    derive(cipher, key, ksn, usage[purpose]);
}
