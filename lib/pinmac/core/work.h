// One piece of static memory in which every call does its sums, and which every call wipes at its end.
//
// The core serves one caller at a time, so one will do: what lives longer than a call lives in the
// slots (ring.c), the DUKPT registers (dukpt.c), the device's keys (device.c), the PIN entry
// (entry.c) and the MAC in pieces (macs.c), and nowhere else.
#ifndef PINMAC_WORK_H
#define PINMAC_WORK_H

#include "cipher.h"
#include "macs.h"
#include "result.h"
#include "rsa.h"
#include "tr31.h"

union pinmac_work_area {
    struct {
        struct pinmac_key incoming; // a key on its way into a slot
        struct pinmac_key session;  // a key derived for this call alone (DUKPT)
        struct pinmac_cipher cipher;
        struct pinmac_cmac cmac;
    } keys;
    struct {
        struct pinmac_key incoming, session; // as above
        struct pinmac_mac_context context;   // of a MAC in one call
    } mac;
    struct pinmac_rsa rsa;
};
extern union pinmac_work_area pinmac_work;

// Wipe it, and the stack below the caller, where the ciphers spilled their registers.
void pinmac_work_wipe(void);

// The same, as the end of a call: `result` comes back.
enum pinmac_result pinmac_work_end(enum pinmac_result result);

#endif
