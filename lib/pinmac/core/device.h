// The device's own keys, from the board's secret and the salt that zeroize() destroys.
#ifndef PINMAC_DEVICE_H
#define PINMAC_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "result.h"
#include "tr31.h"

enum { PINMAC_DEVICE_KEY = 32 };

struct pinmac_device {
    bool ready;
    bool created_now;                       // the salt was made in this power cycle
    struct pinmac_key sealing_key;          // AES-256 key block protection key of seal and unseal
    uint8_t binding_key[PINMAC_DEVICE_KEY]; // AES-256 CMAC key of the binding log
};

// The keys of a device that has a salt; PINMAC_NO_SALT when there is none.
enum pinmac_result pinmac_device_open(const struct pinmac_device **device);

// The same, making a salt first where there is none.
enum pinmac_result pinmac_device_create(const struct pinmac_device **device);

// A key for one more purpose, from the sealing key; the label has seven characters and its zero.
void pinmac_device_derive(const struct pinmac_device *device, const char *label, uint8_t key[PINMAC_DEVICE_KEY]);

// Wipe the keys and destroy the salt.
enum pinmac_result pinmac_device_destroy(void);

#endif
