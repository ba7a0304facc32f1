// ISO/IEC 9797-1:2011 6.2 and 6.4. Data fall straight into the chain, so zero padding costs nothing.
#include "cbc_mac.h"

#include <string.h>

#include "secure.h"

void pinmac_cbc_mac_init(struct pinmac_cbc_mac *mac, bool retail, enum pinmac_algorithm algorithm,
    const uint8_t *key, size_t size) {
    memset(mac->chain, 0, sizeof mac->chain);
    mac->column = 0;
    mac->retail = retail;
    pinmac_cipher_init(&mac->cipher, algorithm, key, size);
}

void pinmac_cbc_mac_update(struct pinmac_cbc_mac *mac, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (mac->column == PINMAC_DES_BLOCK) {
            if (mac->retail) {
                pinmac_tdes_encrypt_first(&mac->cipher.schedule.tdes, mac->chain);
            } else {
                pinmac_cipher_encrypt(&mac->cipher, mac->chain);
            }
            mac->column = 0;
        }
        mac->chain[mac->column] = (uint8_t)(mac->chain[mac->column] ^ data[i]);
        mac->column++;
    }
}

void pinmac_cbc_mac_final(struct pinmac_cbc_mac *mac, uint8_t out[PINMAC_DES_BLOCK]) {
    // The last block of algorithm 3 under K, then deciphered under K' and enciphered under K: TDES of two keys.
    pinmac_cipher_encrypt(&mac->cipher, mac->chain);
    memcpy(out, mac->chain, PINMAC_DES_BLOCK);
    pinmac_wipe(mac, sizeof *mac);
}
