// The state of a board that exists only in a test: everything that the port gives to pinmac, and every
// way in which it can fail. A test writes it from outside, before and between calls.
#ifndef PINMAC_PORT_FAKE_H
#define PINMAC_PORT_FAKE_H

#include "pinmac_port.h"

enum { FAKE_RECORDS = 64, FAKE_UNLIMITED = 0xFFFFFFFF };

// What outlives a reboot: the board's durable stores.
struct fake_stores {
    uint8_t secret[PINMAC_SECRET];
    uint8_t salt[PINMAC_SALT];
    uint8_t salt_there;
    uint8_t record[FAKE_RECORDS][PINMAC_BINDING];
    uint32_t records;
    uint32_t counter[PINMAC_COUNTERS];
};

// How the board behaves: switches of the test.
struct fake_switches {
    uint32_t now_ms;
    uint32_t pins_per_hour, pins_burst, pin_entry_ms, components_only_fresh;  // the policy
    uint32_t secret_missing;
    uint32_t salt_create_fails, salt_destroy_fails;
    uint32_t record_capacity;     // a log of so many records; at most FAKE_RECORDS
    uint32_t writes_left;         // so many durable writes succeed and then none; FAKE_UNLIMITED
    uint32_t counters_unreadable;
    uint32_t counters_stuck;      // raising fails and leaves the counter; other writes still succeed
    uint32_t random_left;         // so many requests for entropy succeed and then none; FAKE_UNLIMITED
    uint32_t random_constant;     // a dead source: 256 + the byte it always gives; 0: a live one
    uint32_t random_flat;         // a source that hangs at one byte within each request
    uint32_t random_biased;       // a source of which every so-manieth byte of a request is live, the others A5
    uint32_t random_repeats;      // a source that gives every request the same bytes
    uint64_t random_state;        // the live source is SplitMix64 from here: the same bytes each run
};

struct fake_board {
    struct fake_stores stores;
    struct fake_switches switches;
};

extern struct fake_board fake;

// The size of the structure, for a caller that describes it in another language.
size_t fake_board_size(void);

#endif
