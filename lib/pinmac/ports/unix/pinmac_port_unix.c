// The port of pinmac for a workstation: the device's secret is a file outside the firmware's storage.
//
// SUANPAN_DEVICE_SECRET names a file of 32 bytes, made with random bytes when it is missing. Beside it
// lie FILE.salt, FILE.bindings and FILE.counters. Without the variable all of them live as long as the
// process. SUANPAN_PIN_POLICY="PER_HOUR,BURST,ENTRY_MS" sets the limits of PIN entry; without it
// there are none. Entropy and ticks come from MicroPython's own functions, which the simulator governs.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "py/mphal.h"

#include "../../pinmac_port.h"

enum { PATH_BYTES = 1024, BINDINGS_IN_MEMORY = 1024, BINDINGS_IN_FILE = 8192, RANDOM_PIECE = 256 };

static struct {
    bool has_secret, has_salt;
    uint8_t secret[PINMAC_SECRET], salt[PINMAC_SALT];
    uint8_t bindings[BINDINGS_IN_MEMORY][PINMAC_BINDING];
    uint32_t bindings_count;
    uint32_t counters[PINMAC_COUNTERS];
} process;

static const char *secret_path(void) {
    const char *path = getenv("SUANPAN_DEVICE_SECRET");
    return path != NULL && path[0] != '\0' ? path : NULL;
}

static bool path_beside(char path[PATH_BYTES], const char *suffix) {
    int size = snprintf(path, PATH_BYTES, "%s%s", secret_path(), suffix);
    return size > 0 && size < PATH_BYTES;
}

static bool read_at(const char *path, off_t offset, uint8_t *bytes, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    bool whole = pread(file, bytes, size, offset) == (ssize_t)size;
    close(file);
    return whole;
}

static bool write_at(const char *path, int flags, off_t offset, const uint8_t *bytes, size_t size) {
    int file = open(path, O_WRONLY | O_CLOEXEC | flags, S_IRUSR | S_IWUSR);
    if (file < 0) {
        return false;
    }
    bool stored = pwrite(file, bytes, size, offset) == (ssize_t)size && fsync(file) == 0;
    return close(file) == 0 && stored;
}

// A new file appears whole or not at all.
static bool create(const char *path, const uint8_t *bytes, size_t size) {
    char temporary[PATH_BYTES + 8];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    return write_at(temporary, O_CREAT | O_TRUNC, 0, bytes, size) && rename(temporary, path) == 0;
}

bool pinmac_port_secret(uint8_t secret[PINMAC_SECRET]) {
    const char *path = secret_path();
    if (path == NULL) {
        process.has_secret = process.has_secret || pinmac_port_random(process.secret, PINMAC_SECRET);
        memcpy(secret, process.secret, PINMAC_SECRET);
        return process.has_secret;
    }
    struct stat status;
    if (stat(path, &status) != 0) {
        return pinmac_port_random(secret, PINMAC_SECRET) && create(path, secret, PINMAC_SECRET);
    }
    return status.st_size == PINMAC_SECRET && read_at(path, 0, secret, PINMAC_SECRET);
}

bool pinmac_port_salt_read(uint8_t salt[PINMAC_SALT]) {
    char path[PATH_BYTES];
    if (secret_path() == NULL) {
        memcpy(salt, process.salt, PINMAC_SALT);
        return process.has_salt;
    }
    return path_beside(path, ".salt") && read_at(path, 0, salt, PINMAC_SALT);
}

bool pinmac_port_salt_create(const uint8_t salt[PINMAC_SALT]) {
    static const uint32_t zeros[PINMAC_COUNTERS];
    char salt_path[PATH_BYTES], log_path[PATH_BYTES], counters_path[PATH_BYTES];
    if (secret_path() == NULL) {
        memcpy(process.salt, salt, PINMAC_SALT);
        memset(process.counters, 0, sizeof process.counters);
        process.bindings_count = 0;
        process.has_salt = true;
        return true;
    }
    // Log and counters first: a salt never meets those of another.
    return path_beside(log_path, ".bindings") && create(log_path, salt, 0) &&
        path_beside(counters_path, ".counters") && create(counters_path, (const uint8_t *)zeros, sizeof zeros) &&
        path_beside(salt_path, ".salt") && create(salt_path, salt, PINMAC_SALT);
}

bool pinmac_port_salt_destroy(void) {
    static const uint8_t zeros[PINMAC_SALT];
    char path[PATH_BYTES];
    memset(process.salt, 0, PINMAC_SALT);
    process.has_salt = false;
    if (secret_path() == NULL) {
        return true;
    }
    return path_beside(path, ".salt") &&
        (access(path, F_OK) != 0 || (write_at(path, 0, 0, zeros, PINMAC_SALT) && unlink(path) == 0));
}

bool pinmac_port_binding_read(uint32_t number, uint8_t record[PINMAC_BINDING]) {
    char path[PATH_BYTES];
    if (secret_path() == NULL) {
        if (number >= process.bindings_count) {
            return false;
        }
        memcpy(record, process.bindings[number], PINMAC_BINDING);
        return true;
    }
    return path_beside(path, ".bindings") && read_at(path, (off_t)number * PINMAC_BINDING, record, PINMAC_BINDING);
}

bool pinmac_port_binding_write(uint32_t number, const uint8_t record[PINMAC_BINDING]) {
    char path[PATH_BYTES];
    if (secret_path() == NULL) {
        if (number >= BINDINGS_IN_MEMORY) {
            return false;
        }
        memcpy(process.bindings[number], record, PINMAC_BINDING);
        process.bindings_count = number + 1;
        return true;
    }
    // Without O_CREAT: a log that vanished beside its salt is a fault, not an empty log.
    return number < BINDINGS_IN_FILE && path_beside(path, ".bindings") &&
        write_at(path, 0, (off_t)number * PINMAC_BINDING, record, PINMAC_BINDING);
}

static bool counters_read(uint32_t counters[PINMAC_COUNTERS]) {
    char path[PATH_BYTES];
    if (secret_path() == NULL) {
        memcpy(counters, process.counters, sizeof process.counters);
        return true;
    }
    return path_beside(path, ".counters") &&
        read_at(path, 0, (uint8_t *)counters, PINMAC_COUNTERS * sizeof counters[0]);
}

bool pinmac_port_counter_read(enum pinmac_counter counter, uint32_t *value) {
    uint32_t counters[PINMAC_COUNTERS];
    bool read = counters_read(counters);
    *value = read ? counters[counter] : 0;
    return read;
}

bool pinmac_port_counter_raise(enum pinmac_counter counter, uint32_t value) {
    char path[PATH_BYTES];
    uint32_t counters[PINMAC_COUNTERS];
    if (!counters_read(counters)) {
        return false;
    }
    if (value <= counters[counter]) {
        return true;
    }
    counters[counter] = value;
    if (secret_path() == NULL) {
        process.counters[counter] = value;
        return true;
    }
    return path_beside(path, ".counters") && create(path, (const uint8_t *)counters, sizeof counters);
}

bool pinmac_port_random(uint8_t *bytes, size_t size) {
    while (size > 0) {
        size_t piece = size < RANDOM_PIECE ? size : RANDOM_PIECE;
        mp_hal_get_random(piece, bytes);
        bytes += piece;
        size -= piece;
    }
    return true;
}

uint32_t pinmac_port_ticks_ms(void) {
    return (uint32_t)mp_hal_ticks_ms();
}

void pinmac_port_policy(struct pinmac_policy *policy) {
    unsigned per_hour = 0, burst = 0, entry_ms = 0;
    const char *text = getenv("SUANPAN_PIN_POLICY");
    if (text != NULL && sscanf(text, "%u,%u,%u", &per_hour, &burst, &entry_ms) != 3) {
        // A limit was meant and cannot be read: the strictest is the only safe reading.
        per_hour = burst = entry_ms = 1;
    }
    policy->pins_per_hour = per_hour;
    policy->pins_burst = burst;
    policy->pin_entry_ms = entry_ms;
    policy->components_only_fresh = false;
}
