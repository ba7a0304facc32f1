// The key slots, as the other files of the core see them.
#ifndef PINMAC_RING_H
#define PINMAC_RING_H

#include "pinmac.h"
#include "tr31.h"

// How a key comes into a slot; it decides the key's mode of use.
enum pinmac_origin { PINMAC_BY_COMPONENTS, PINMAC_BY_WORKING, PINMAC_BY_GENERATE, PINMAC_BY_BLOCK };

enum pinmac_slot_state { PINMAC_SLOT_FREE, PINMAC_SLOT_HALF, PINMAC_SLOT_FULL };

// What a slot holds; the slot must be in range.
enum pinmac_slot_state pinmac_ring_state(unsigned slot);
const struct pinmac_key *pinmac_ring_peek(unsigned slot);

// May a key come into this slot? A key-encrypting key is not overwritten in passing.
enum pinmac_result pinmac_ring_free(unsigned slot);

// The complete key of a slot, which must have this usage and one of the modes of use in `modes`.
enum pinmac_result pinmac_ring_key(
    unsigned slot, const char *usage, const char *modes, const struct pinmac_key **key);

// May a key of this usage come this way? Where it may, usage and mode of use of the incoming key are
// set (a block brings its own mode).
enum pinmac_result pinmac_ring_usage(const char usage[2], enum pinmac_origin origin);

// Set algorithm, size and exportability of the incoming key, if the usage permits them.
enum pinmac_result pinmac_ring_describe(enum pinmac_origin origin, unsigned algorithm, size_t size);

// The incoming key (work.h) takes the slot, and whatever used the slot's old key ends.
void pinmac_ring_install(unsigned slot, enum pinmac_slot_state state);

// For load_block and load_dukpt (blocks.c): the block's key, found fit for the slot, as the incoming key.
enum pinmac_result pinmac_open_block(
    unsigned slot, const char *block, size_t size, unsigned kbpk_slot, bool dukpt);

// The first bytes of a key's check value.
void pinmac_ring_check_value(const struct pinmac_key *key, uint8_t *kcv, size_t size);

#endif
