// The slots that hold a DUKPT key, as the other files of the core see them.
//
// One TDES and one AES key can be loaded at a time, each with its registers of future keys. The slot's
// own value holds the initial key's check value and nothing secret.
#ifndef PINMAC_DUKPT_H
#define PINMAC_DUKPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "dukpt_tdes.h"
#include "pinmac.h"
#include "tr31.h"

// Does the slot hold a DUKPT key?
bool pinmac_dukpt_in(unsigned slot);

// Wipe the registers, if the slot holds them.
void pinmac_dukpt_forget(unsigned slot);

// The key that serves a purpose: the slot's own, which must have this usage and one of the modes of
// use, or of a DUKPT slot the session key of the current transaction, made in the work area. The first
// use of a transaction's key raises the port's counter before it returns.
enum pinmac_result pinmac_purpose_key(unsigned slot, const char *usage, const char *modes,
    enum pinmac_dukpt_purpose purpose, const struct pinmac_key **key);

// Does a blob claim to be a sealed DUKPT state?
bool pinmac_dukpt_sealed(const uint8_t *blob, size_t size);

// The registers of a slot enciphered and authenticated under the device's keys; `blob` has
// PINMAC_SEALED_MAX bytes.
enum pinmac_result pinmac_dukpt_seal(
    const struct pinmac_device *device, unsigned slot, uint8_t *blob, size_t *size);

// Back from such a blob. PINMAC_ROLLED_BACK when a later transaction's key was used or a key loaded since.
enum pinmac_result pinmac_dukpt_unseal(const struct pinmac_device *device, unsigned slot, const uint8_t *blob,
    size_t size, uint8_t kcv[PINMAC_KCV]);

#endif
