// Key derivation by NIST SP 800-108r1 4.1, counter mode with AES-CMAC: K(i) = CMAC(secret, i ‖ label ‖ 00 ‖ salt ‖ L).
#include "device.h"

#include <string.h>

#include "../pinmac_port.h"
#include "secure.h"
#include "work.h"

enum { LABEL = 8 };

static struct pinmac_device device;

static void derive(const uint8_t *secret, const uint8_t *salt, size_t salt_size, const char *label, uint8_t *key) {
    struct pinmac_cmac *cmac = &pinmac_work.keys.cmac;
    static const uint8_t separator[1] = {0}, length_in_bits[2] = {1, 0};
    for (uint8_t counter = 1; counter <= 2; counter++) {
        pinmac_cmac_init(cmac, PINMAC_AES, secret, PINMAC_SECRET);
        pinmac_cmac_update(cmac, &counter, 1);
        pinmac_cmac_update(cmac, (const uint8_t *)label, LABEL);
        pinmac_cmac_update(cmac, separator, sizeof separator);
        pinmac_cmac_update(cmac, salt, salt_size);
        pinmac_cmac_update(cmac, length_in_bits, sizeof length_in_bits);
        pinmac_cmac_final(cmac, key + PINMAC_AES_BLOCK * (counter - 1));
    }
}

void pinmac_device_derive(const struct pinmac_device *from, const char *label, uint8_t key[PINMAC_DEVICE_KEY]) {
    derive(from->sealing_key.value, NULL, 0, label, key);
}

enum pinmac_result pinmac_device_open(const struct pinmac_device **opened) {
    uint8_t secret[PINMAC_SECRET], salt[PINMAC_SALT];
    *opened = &device;
    if (device.ready) {
        return PINMAC_OK;
    }
    if (!pinmac_port_salt_read(salt)) {
        return PINMAC_NO_SALT;
    }
    device.ready = pinmac_port_secret(secret);
    if (device.ready) {
        derive(secret, salt, sizeof salt, "sealing ", device.sealing_key.value);
        derive(secret, salt, sizeof salt, "binding ", device.binding_key);
        device.sealing_key.algorithm = PINMAC_AES;
        device.sealing_key.size = PINMAC_DEVICE_KEY;
    }
    pinmac_wipe(secret, sizeof secret);
    pinmac_wipe(salt, sizeof salt);
    return device.ready ? PINMAC_OK : PINMAC_NO_SECRET;
}

enum pinmac_result pinmac_device_create(const struct pinmac_device **opened) {
    uint8_t salt[PINMAC_SALT];
    enum pinmac_result result = pinmac_device_open(opened);
    if (result != PINMAC_NO_SALT) {
        return result;
    }
    if (!pinmac_port_random(salt, sizeof salt)) {
        return PINMAC_NO_ENTROPY;
    }
    device.created_now = pinmac_port_salt_create(salt);
    pinmac_wipe(salt, sizeof salt);
    return device.created_now ? pinmac_device_open(opened) : PINMAC_NO_STORAGE;
}

enum pinmac_result pinmac_device_destroy(void) {
    pinmac_wipe(&device, sizeof device);
    return pinmac_port_salt_destroy() ? PINMAC_OK : PINMAC_NO_STORAGE;
}
