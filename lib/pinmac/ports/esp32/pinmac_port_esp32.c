// The port of pinmac for the ESP32-S3, on ESP-IDF 5.4.
//
// The device's secret is what the HMAC peripheral answers in upstream mode over an eFuse key that
// software cannot read (ESP32-S3 technical reference manual, "HMAC Accelerator"). Salt, counters and
// binding log live in a data partition of their own: the first sector holds the salt, two sectors each
// counter, the others the log. Flash can be written back by whoever opens the case: the counters stop a
// firmware that replays files, not a soldering iron.
#include <string.h>

#include "esp_hmac.h"
#include "esp_partition.h"
#include "esp_random.h"
#include "esp_timer.h"

#include "../../pinmac_port.h"
#include "pinmac_port_esp32.h"

enum { SECTOR = 4096, MARK = 16, COUNTERS_START = SECTOR, LOG_START = COUNTERS_START + 2 * PINMAC_COUNTERS * SECTOR };

// Stands before a whole salt: it is written last, so a torn salt is no salt. Sixteen bytes, the
// grain of an encrypted partition.
static const uint8_t salt_mark[MARK] = {'p', 'i', 'n', 'm', 'a', 'c', ' ', 's', 'a', 'l', 't', ' ', 'v', '1', ' ', ' '};

static const esp_partition_t *keys(void) {
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, PINMAC_ESP32_PARTITION);
}

bool pinmac_port_secret(uint8_t secret[PINMAC_SECRET]) {
    static const char message[] = "suanpan pinmac device secret";
    return esp_hmac_calculate(PINMAC_ESP32_HMAC_KEY, message, sizeof message - 1, secret) == ESP_OK;
}

bool pinmac_port_salt_read(uint8_t salt[PINMAC_SALT]) {
    const esp_partition_t *partition = keys();
    uint8_t mark[MARK];
    return partition != NULL && esp_partition_read(partition, 0, mark, MARK) == ESP_OK &&
        memcmp(mark, salt_mark, MARK) == 0 &&
        esp_partition_read(partition, SECTOR / 2, salt, PINMAC_SALT) == ESP_OK;
}

bool pinmac_port_salt_create(const uint8_t salt[PINMAC_SALT]) {
    const esp_partition_t *partition = keys();
    return partition != NULL && esp_partition_erase_range(partition, 0, partition->size) == ESP_OK &&
        esp_partition_write(partition, SECTOR / 2, salt, PINMAC_SALT) == ESP_OK &&
        esp_partition_write(partition, 0, salt_mark, MARK) == ESP_OK;
}

bool pinmac_port_salt_destroy(void) {
    static const uint8_t zeros[PINMAC_SALT];
    const esp_partition_t *partition = keys();
    // Flash bits fall without an erase: zeros first, so that a power cut in the erase leaves no salt.
    return partition != NULL && esp_partition_write_raw(partition, 0, zeros, MARK) == ESP_OK &&
        esp_partition_write_raw(partition, SECTOR / 2, zeros, PINMAC_SALT) == ESP_OK &&
        esp_partition_erase_range(partition, 0, SECTOR) == ESP_OK;
}

bool pinmac_port_binding_read(uint32_t number, uint8_t record[PINMAC_BINDING]) {
    const esp_partition_t *partition = keys();
    size_t at = LOG_START + (size_t)number * PINMAC_BINDING;
    if (partition == NULL || at + PINMAC_BINDING > partition->size) {
        return false;
    }
    uint8_t erased[PINMAC_BINDING];
    memset(erased, 0xFF, sizeof erased);
    // Raw: an encrypted partition reads erased flash as noise. Records carry no secret.
    return esp_partition_read_raw(partition, at, record, PINMAC_BINDING) == ESP_OK &&
        memcmp(record, erased, sizeof erased) != 0;
}

bool pinmac_port_binding_write(uint32_t number, const uint8_t record[PINMAC_BINDING]) {
    const esp_partition_t *partition = keys();
    size_t at = LOG_START + (size_t)number * PINMAC_BINDING;
    return partition != NULL && at + PINMAC_BINDING <= partition->size &&
        esp_partition_write_raw(partition, at, record, PINMAC_BINDING) == ESP_OK;
}

// A counter is a row of records, value ‖ its complement, in one of two sectors; the other is erased and
// begun when the first is full, so that a power cut at any moment leaves the highest value readable.
enum { RECORD = 16, RECORDS = SECTOR / RECORD };

struct counter_place {
    uint32_t value;
    size_t sector;   // where the value stands, 0 or 1
    size_t next[2];  // the first free record of each
};

static bool scan_counter(const esp_partition_t *partition, enum pinmac_counter counter, struct counter_place *place) {
    memset(place, 0, sizeof *place);
    for (size_t at = 0; at < 2 * RECORDS; at++) {
        uint32_t record[RECORD / sizeof(uint32_t)];
        size_t offset = COUNTERS_START + 2 * (size_t)counter * SECTOR + at * RECORD;
        if (esp_partition_read_raw(partition, offset, record, RECORD) != ESP_OK) {
            return false;
        }
        if ((record[0] & record[1]) != UINT32_MAX) {
            place->next[at / RECORDS] = at % RECORDS + 1;
        }
        if (record[0] == ~record[1] && record[0] > place->value) {
            place->value = record[0];
            place->sector = at / RECORDS;
        }
    }
    return true;
}

bool pinmac_port_counter_read(enum pinmac_counter counter, uint32_t *value) {
    const esp_partition_t *partition = keys();
    struct counter_place place;
    bool read = partition != NULL && scan_counter(partition, counter, &place);
    *value = read ? place.value : 0;
    return read;
}

bool pinmac_port_counter_raise(enum pinmac_counter counter, uint32_t value) {
    const esp_partition_t *partition = keys();
    struct counter_place place;
    if (partition == NULL || !scan_counter(partition, counter, &place)) {
        return false;
    }
    if (value <= place.value) {
        return true;
    }
    size_t start = COUNTERS_START + 2 * (size_t)counter * SECTOR;
    if (place.next[place.sector] == RECORDS) {
        place.sector = 1 - place.sector;
        place.next[place.sector] = 0;
        if (esp_partition_erase_range(partition, start + place.sector * SECTOR, SECTOR) != ESP_OK) {
            return false;
        }
    }
    const uint32_t record[RECORD / sizeof(uint32_t)] = {value, ~value};
    size_t offset = start + place.sector * SECTOR + place.next[place.sector] * RECORD;
    return esp_partition_write_raw(partition, offset, record, RECORD) == ESP_OK;
}

bool pinmac_port_random(uint8_t *bytes, size_t size) {
    // True entropy while the radio runs, and by the boot loader's seed before (esp_random.h).
    esp_fill_random(bytes, size);
    return true;
}

uint32_t pinmac_port_ticks_ms(void) {
    return (uint32_t)(esp_timer_get_time() / 1000);
}

void pinmac_port_policy(struct pinmac_policy *policy) {
    policy->pins_per_hour = PINMAC_ESP32_PINS_PER_HOUR;
    policy->pins_burst = PINMAC_ESP32_PINS_BURST;
    policy->pin_entry_ms = PINMAC_ESP32_PIN_ENTRY_MS;
    policy->components_only_fresh = PINMAC_ESP32_RELEASE;
}
