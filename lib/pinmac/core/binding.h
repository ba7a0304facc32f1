// Each working-key cryptogram serves its first usage only, for as long as its master key lives.
//
// Working keys come in ECB under one master key. Without this log a hostile firmware could load the
// cryptogram of the PIN key as a data key and read PIN blocks, or mix blocks of several cryptograms;
// so every cipher block of a cryptogram is bound by itself.
#ifndef PINMAC_BINDING_H
#define PINMAC_BINDING_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "tr31.h"

// Bind all blocks of `cryptogram` (at most 32 bytes) under `master` to `usage`, durably. PINMAC_OK
// when they are bound, now or before; PINMAC_BOUND_ELSEWHERE; PINMAC_BAD_LOG; PINMAC_NO_STORAGE.
enum pinmac_result pinmac_bind(const struct pinmac_device *device, const struct pinmac_key *master,
    const uint8_t *cryptogram, size_t size, const char usage[2]);

#endif
