// A MAC being computed, of any algorithm.
#ifndef PINMAC_MACS_H
#define PINMAC_MACS_H

#include <stdbool.h>
#include <stdint.h>

#include "cbc_mac.h"
#include "cipher.h"
#include "mac_cup.h"

struct pinmac_mac_context {
    uint8_t algorithm; // enum pinmac_mac_algorithm; 0: none
    uint8_t slot;
    bool can_generate, can_verify;
    union {
        struct pinmac_cup cup;
        struct pinmac_cmac cmac;
        struct pinmac_cbc_mac cbc;
    } state;
};

#endif
