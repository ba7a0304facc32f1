// What a board may set of the ESP32 port: by -D, or in a header included before this one.
#ifndef PINMAC_PORT_ESP32_H
#define PINMAC_PORT_ESP32_H

// The eFuse key block (esp_hmac.h: hmac_key_id_t) burnt with purpose HMAC_UP.
#ifndef PINMAC_ESP32_HMAC_KEY
#define PINMAC_ESP32_HMAC_KEY HMAC_KEY4
#endif

// The data partition of salt, counters and binding log, whole sectors and no file system. Of 128 KB the
// log has room for 6400 cipher blocks: five at each daily sign-on are three and a half years.
#ifndef PINMAC_ESP32_PARTITION
#define PINMAC_ESP32_PARTITION "pinmac"
#endif

// PIN encryptions an hour, and of them at once (PINMAC.md, "Face").
#ifndef PINMAC_ESP32_PINS_PER_HOUR
#define PINMAC_ESP32_PINS_PER_HOUR 120
#endif
#ifndef PINMAC_ESP32_PINS_BURST
#define PINMAC_ESP32_PINS_BURST 10
#endif

// From the first digit asked to the PIN block.
#ifndef PINMAC_ESP32_PIN_ENTRY_MS
#define PINMAC_ESP32_PIN_ENTRY_MS 120000
#endif

// A release board takes clear components only after zeroize.
#ifndef PINMAC_ESP32_RELEASE
#define PINMAC_ESP32_RELEASE 1
#endif

#endif
