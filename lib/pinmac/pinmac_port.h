// What a board gives to pinmac. One implementation a board, in ports/; the core calls nothing else.
#ifndef PINMAC_PORT_H
#define PINMAC_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PINMAC_SECRET = 32, PINMAC_SALT = 32, PINMAC_BINDING = 16 };

// The secret of this device, which no storage image contains. False: the board cannot give it.
bool pinmac_port_secret(uint8_t secret[PINMAC_SECRET]);

// The salt that turns the secret into the device's keys. False: there is none (fresh or zeroised).
bool pinmac_port_salt_read(uint8_t salt[PINMAC_SALT]);

// Store a salt durably where there was none, empty the binding log and set the counters to zero: what
// they guarded was sealed under another salt. False: it did not get stored.
bool pinmac_port_salt_create(const uint8_t salt[PINMAC_SALT]);

// Destroy the salt so that no copy stays; afterwards pinmac_port_salt_read answers false.
bool pinmac_port_salt_destroy(void);

// The log of which working-key cryptogram serves which usage. Records are numbered from 0; reading
// past the last answers false, writing is durable on return. False from write: the log is full or
// the storage failed. A record that a power cut tore may read as anything, or as past the end.
bool pinmac_port_binding_read(uint32_t number, uint8_t record[PINMAC_BINDING]);
bool pinmac_port_binding_write(uint32_t number, const uint8_t record[PINMAC_BINDING]);

// Counters that only ever rise while a salt lives. Raising is durable on return; raising to a value
// not above the present one leaves it. False: the storage failed.
enum pinmac_counter { PINMAC_COUNTER_BINDINGS, PINMAC_COUNTER_DUKPT_TDES, PINMAC_COUNTER_DUKPT_AES, PINMAC_COUNTERS };
bool pinmac_port_counter_read(enum pinmac_counter counter, uint32_t *value);
bool pinmac_port_counter_raise(enum pinmac_counter counter, uint32_t value);

// Entropy of the hardware. False: none to be had.
bool pinmac_port_random(uint8_t *bytes, size_t size);

// Milliseconds that only run forward, modulo 2^32.
uint32_t pinmac_port_ticks_ms(void);

// The board's limits. Zero means no limit.
struct pinmac_policy {
    uint32_t pins_per_hour;       // completed PIN encryptions
    uint32_t pins_burst;          // of them at once
    uint32_t pin_entry_ms;        // from pin_begin to pin_block
    bool components_only_fresh;   // clear components only in the power cycle that created the salt
};
void pinmac_port_policy(struct pinmac_policy *policy);

#endif
