// The key slots: what every call that uses a key asks them.
#ifndef PINMAC_RING_H
#define PINMAC_RING_H

#include "pinmac.h"
#include "tr31.h"

// The complete key of a slot, which must have this usage and one of the modes of use in `modes`.
enum pinmac_result pinmac_ring_key(
    unsigned slot, const char *usage, const char *modes, const struct pinmac_key **key);

#endif
