// Derived unique key per transaction with TDES keys of two parts: the derivations of ANSI X9.24-1:2009.
#ifndef PINMAC_DUKPT_TDES_H
#define PINMAC_DUKPT_TDES_H

#include <stdint.h>

#include "cipher.h"

// 21 bits of the key serial number count transactions; no counter has more than 10 ones (A.1).
enum { PINMAC_DUKPT_TDES_KSN = 10, PINMAC_DUKPT_TDES_BITS = 21, PINMAC_DUKPT_TDES_ONES = 10, PINMAC_DUKPT_KEY = 16 };

// What a transaction's key is used for: the variants of A.4.1.
enum pinmac_dukpt_purpose {
    PINMAC_DUKPT_PIN,
    PINMAC_DUKPT_MAC,           // request, or both ways
    PINMAC_DUKPT_MAC_RESPONSE,
    PINMAC_DUKPT_DATA,          // request
    PINMAC_DUKPT_DATA_RESPONSE,
};

// A.2, "Non-reversible Key Generation Process": the key of `ksn`, whose counter is set, from the key
// above it, in place.
void pinmac_dukpt_tdes_derive(struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY],
    const uint8_t ksn[PINMAC_DUKPT_TDES_KSN]);

// The session key of a purpose from the transaction's key, in place. Data keys are enciphered under
// themselves (A.4.1).
void pinmac_dukpt_tdes_session(
    struct pinmac_cipher *cipher, uint8_t key[PINMAC_DUKPT_KEY], enum pinmac_dukpt_purpose purpose);

#endif
