// Derived unique key per transaction with AES-128 keys: the derivation of ANSI X9.24-3:2017.
#ifndef PINMAC_DUKPT_AES_H
#define PINMAC_DUKPT_AES_H

#include <stdint.h>

#include "dukpt_tdes.h"

// The KSN is the initial key ID, 8 bytes, and the transaction counter, of which at most 16 bits are ones.
enum { PINMAC_DUKPT_AES_KSN = 12, PINMAC_DUKPT_AES_ID = 8, PINMAC_DUKPT_AES_BITS = 32, PINMAC_DUKPT_AES_ONES = 16 };

// 6.3.3, "Derive Key": the derivation key of `ksn`, whose counter is set, from the key above it, in
// place (key usage 8000).
void pinmac_dukpt_aes_derive(struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY],
    const uint8_t ksn[PINMAC_DUKPT_AES_KSN]);

// The AES-128 working key of a purpose from the transaction's derivation key, in place: usage 1000 PIN
// encryption, 2000 MAC generation, 2001 MAC verification, 3000 data encryption, 3001 decryption.
void pinmac_dukpt_aes_session(struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY],
    const uint8_t ksn[PINMAC_DUKPT_AES_KSN], enum pinmac_dukpt_purpose purpose);

#endif
