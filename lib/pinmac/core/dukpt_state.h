// The state of a DUKPT key: dukpt.c steps it, dukpt_seal.c stores it.
#ifndef PINMAC_DUKPT_STATE_H
#define PINMAC_DUKPT_STATE_H

#include "../pinmac_port.h"
#include "dukpt.h"
#include "dukpt_aes.h"

struct pinmac_dukpt {
    uint8_t slot;
    bool loaded;
    bool ready;                        // the current key may be used
    bool spent;                        // it was: the port's counter says so
    uint32_t generation;               // rises with each key loaded and each transaction
    uint32_t counter;                  // of the current transaction
    uint8_t ksn[PINMAC_DUKPT_AES_KSN]; // of the initial key; its counter's bits do not count
    uint8_t *registers;                // 16 bytes each
    uint8_t current[PINMAC_DUKPT_KEY]; // the current transaction's key
};

// The states of the two algorithms.
struct pinmac_dukpt *pinmac_dukpt_of(enum pinmac_algorithm algorithm);
enum pinmac_algorithm pinmac_dukpt_algorithm(const struct pinmac_dukpt *state);

// The state whose key is in the slot, or NULL.
struct pinmac_dukpt *pinmac_dukpt_at(unsigned slot);

size_t pinmac_dukpt_ksn_size(const struct pinmac_dukpt *state);
size_t pinmac_dukpt_registers_size(const struct pinmac_dukpt *state);
enum pinmac_counter pinmac_dukpt_counter(const struct pinmac_dukpt *state);

// PINMAC_REGISTERS_TAKEN while another slot has them.
enum pinmac_result pinmac_dukpt_free(const struct pinmac_dukpt *state, unsigned slot);

// The incoming key's header terms take the slot, with the check value for a value, and the registers,
// which are free for it, are its.
void pinmac_dukpt_install(struct pinmac_dukpt *state, unsigned slot, const uint8_t kcv[PINMAC_KCV]);

#endif
