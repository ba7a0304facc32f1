// The simulator's clock and seed, for the sim board only.
//
// The linker's --wrap sends every call of time(), gettimeofday(), clock_gettime(), mbedTLS's entropy
// source and the port's random source here, so that MicroPython's ticks, certificate dates, littlefs
// and TLS keys all follow the virtual board. Without a link to a virtual board the host's own clock is
// used, and without a seed the host's own randomness.

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "py/cstack.h"
#include "py/obj.h"
#include "py/objint.h"
#include "py/runtime.h"

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __real_gettimeofday(struct timeval *tv, void *tz);
time_t __real_time(time_t *t);
int __real_mbedtls_platform_entropy_poll(void *data, unsigned char *out, size_t len, size_t *olen);
void __real_mp_hal_get_random(size_t n, void *buf);

static long link_fd = -1;    // the socket to the virtual board; -1: plain interpreter, host's clock
static int64_t board_us;     // board time when it was last told
static int64_t host_us;      // the host's monotonic time at that moment
static int64_t wall_us;      // board time 0 as microseconds since 1970
static int64_t speed;        // board seconds per host second; 0: virtual, moves only when told
static bool seeded;
static uint64_t seed_state;

__attribute__((constructor)) static void read_environment(void) {
    const char *fd = getenv("SUANPAN_LINK");
    if (fd != NULL) {
        link_fd = strtol(fd, NULL, 10);
    }
    const char *seed = getenv("SUANPAN_SEED");
    if (seed != NULL) {
        seeded = true;
        seed_state = strtoull(seed, NULL, 10);
    }
}

// The unix port's 40 kB on 32 bits do not hold a chain of imports that fits the
// ESP32's 16 kB, since the host's frames are larger: 32 bits get what 64 bits have.
void __real_mp_cstack_init_with_sp_here(size_t stack_size);
void __wrap_mp_cstack_init_with_sp_here(size_t stack_size) {
    __real_mp_cstack_init_with_sp_here(MAX(stack_size, 80000));
}

static int64_t host_now(void) {
    struct timespec ts;
    __real_clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t board_now(void) {
    return speed == 0 ? board_us : board_us + (host_now() - host_us) * speed;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ts) {
    if (link_fd < 0) {
        return __real_clock_gettime(id, ts);
    }
    int64_t us = board_now() + (id == CLOCK_REALTIME ? wall_us : 0);
    ts->tv_sec = us / 1000000;
    ts->tv_nsec = us % 1000000 * 1000;
    return 0;
}

int __wrap_gettimeofday(struct timeval *tv, void *tz) {
    if (link_fd < 0) {
        return __real_gettimeofday(tv, tz);
    }
    int64_t us = board_now() + wall_us;
    tv->tv_sec = us / 1000000;
    tv->tv_usec = us % 1000000;
    return 0;
}

time_t __wrap_time(time_t *t) {
    if (link_fd < 0) {
        return __real_time(t);
    }
    time_t now = (board_now() + wall_us) / 1000000;
    if (t != NULL) {
        *t = now;
    }
    return now;
}

// SplitMix64: reproducible, not secret. Only a seeded simulation uses it.
static void seeded_bytes(unsigned char *out, size_t len) {
    while (len > 0) {
        uint64_t z = (seed_state += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        size_t n = MIN(len, sizeof(z));
        memcpy(out, &z, n);
        out += n;
        len -= n;
    }
}

int __wrap_mbedtls_platform_entropy_poll(void *data, unsigned char *out, size_t len, size_t *olen) {
    if (!seeded) {
        return __real_mbedtls_platform_entropy_poll(data, out, len, olen);
    }
    seeded_bytes(out, len);
    *olen = len;
    return 0;
}

void __wrap_mp_hal_get_random(size_t n, void *buf) {
    if (seeded) {
        seeded_bytes(buf, n);
    } else {
        __real_mp_hal_get_random(n, buf);
    }
}

static int64_t get_int64(mp_obj_t o) {
    if (mp_obj_is_small_int(o)) {
        return MP_OBJ_SMALL_INT_VALUE(o);
    }
    if (!mp_obj_is_int(o)) {
        mp_raise_TypeError(MP_ERROR_TEXT("microseconds must be an int"));
    }
    unsigned char raw[8];
    mp_obj_int_to_bytes_impl(o, false, sizeof(raw), raw);
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) {
        value = value << 8 | raw[i];
    }
    return value;
}

/// link() -> int: the file number of the link, or -1 when there is no virtual board.
static mp_obj_t simclock_link(void) {
    return MP_OBJ_NEW_SMALL_INT(link_fd);
}
static MP_DEFINE_CONST_FUN_OBJ_0(simclock_link_obj, simclock_link);

/// now() -> int: microseconds of board time.
static mp_obj_t simclock_now(void) {
    return mp_obj_new_int_from_ll(board_now());
}
static MP_DEFINE_CONST_FUN_OBJ_0(simclock_now_obj, simclock_now);

/// set(us, speed): the board says what time it is and how fast time runs; 0 is virtual.
static mp_obj_t simclock_set(mp_obj_t us, mp_obj_t new_speed) {
    board_us = get_int64(us);
    speed = mp_obj_get_int(new_speed);
    host_us = host_now();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(simclock_set_obj, simclock_set);

/// spend(us): in virtual time an access or a busy wait takes this long; real time passes by itself.
static mp_obj_t simclock_spend(mp_obj_t us) {
    if (speed == 0) {
        board_us += get_int64(us);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(simclock_spend_obj, simclock_spend);

/// wall([us]) -> int: what board time 0 is on the wall clock, microseconds since 1970.
static mp_obj_t simclock_wall(size_t n_args, const mp_obj_t *args) {
    if (n_args > 0) {
        wall_us = get_int64(args[0]);
    }
    return mp_obj_new_int_from_ll(wall_us);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(simclock_wall_obj, 0, 1, simclock_wall);

static const mp_rom_map_elem_t simclock_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_simclock) },
    { MP_ROM_QSTR(MP_QSTR_link), MP_ROM_PTR(&simclock_link_obj) },
    { MP_ROM_QSTR(MP_QSTR_now), MP_ROM_PTR(&simclock_now_obj) },
    { MP_ROM_QSTR(MP_QSTR_set), MP_ROM_PTR(&simclock_set_obj) },
    { MP_ROM_QSTR(MP_QSTR_spend), MP_ROM_PTR(&simclock_spend_obj) },
    { MP_ROM_QSTR(MP_QSTR_wall), MP_ROM_PTR(&simclock_wall_obj) },
};
static MP_DEFINE_CONST_DICT(simclock_globals, simclock_globals_table);

const mp_obj_module_t simclock_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&simclock_globals,
};
MP_REGISTER_MODULE(MP_QSTR_simclock, simclock_module);
