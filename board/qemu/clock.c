// Time on the bare board: the CLINT's mtime counts at 10 MHz and its timer interrupt ends a sleep.
//
// Started with `-icount shift=0,sleep=off` an instruction takes one nanosecond of the machine's time,
// and a sleeping core jumps to its next event: time is the same in every run, and waiting costs none.

#include <stdint.h>

#include "py/cstack.h"
#include "py/mphal.h"

// QEMU's `virt` machine, hart 0 (SiFive FU540-C000 manual, "Core-Local Interruptor").
#define MTIMECMP ((volatile uint32_t *)0x02004000)
#define MTIME ((volatile uint32_t *)0x0200BFF8)

#define MSTATUS_MIE "8"    // interrupts are taken
#define MIE_MTIE (1u << 7) // the timer's interrupt is enabled

enum { TICKS_PER_US = 10, TICKS_PER_MS = 10000, LONGEST_SLEEP_MS = 1000, ESP32_STACK = 15 * 1024 };

void __real_mp_stack_set_limit(mp_uint_t limit);
void __wrap_mp_stack_set_limit(mp_uint_t limit);
void __wrap_mp_stack_set_limit(mp_uint_t limit) {
    (void)limit;
    __real_mp_stack_set_limit(ESP32_STACK);
}

static uint64_t ticks(void) {
    for (;;) {
        uint32_t high = MTIME[1], low = MTIME[0];
        if (high == MTIME[1]) {
            return (uint64_t)high << 32 | low;
        }
    }
}

static void sleep_until(uint64_t end) {
    // All ones first: the two halves must not make an earlier time between them.
    MTIMECMP[0] = UINT32_MAX;
    MTIMECMP[1] = (uint32_t)(end >> 32);
    MTIMECMP[0] = (uint32_t)end;
    // A pending interrupt ends wfi even when none is taken (RISC-V privileged architecture, 3.3.3).
    __asm volatile ("csrci mstatus, " MSTATUS_MIE ::: "memory");
    __asm volatile ("csrs mie, %0" : : "r" (MIE_MTIE) : "memory");
    while (ticks() < end) {
        __asm volatile ("wfi" ::: "memory");
    }
    __asm volatile ("csrc mie, %0" : : "r" (MIE_MTIE) : "memory");
    __asm volatile ("csrsi mstatus, " MSTATUS_MIE ::: "memory");
}

void board_wait_ms(uint32_t ms) {
    // Nothing but time wakes this board; "for ever" comes back to look around.
    sleep_until(ticks() + (uint64_t)MIN(ms, LONGEST_SLEEP_MS) * TICKS_PER_MS);
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(ticks() / TICKS_PER_MS);
}

// Nobody sets a clock here: it began when the power came on.
uint64_t mp_hal_time_ns(void) {
    return ticks() * (1000 / TICKS_PER_US);
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(ticks() / TICKS_PER_US);
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)ticks();
}

void mp_hal_delay_ms(mp_uint_t ms) {
    sleep_until(ticks() + (uint64_t)ms * TICKS_PER_MS);
}

void mp_hal_delay_us(mp_uint_t us) {
    sleep_until(ticks() + (uint64_t)us * TICKS_PER_US);
}
