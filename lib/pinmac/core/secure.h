// What every file of the core needs to handle secrets: wiping, comparing, and naming what may be public.
#ifndef PINMAC_SECURE_H
#define PINMAC_SECURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A result that was computed from a secret and that the caller is meant to learn (a check passed or
// failed, a length). The constant-time proof compiles the core with PINMAC_MEMCHECK: there every
// branch on a secret that is not declared here is an error.
#ifdef PINMAC_MEMCHECK
#include <valgrind/memcheck.h>
#define PINMAC_DECLASSIFY(variable) VALGRIND_MAKE_MEM_DEFINED(&(variable), sizeof(variable))
#else
#define PINMAC_DECLASSIFY(variable) ((void)0)
#endif

// Overwrite with zeros through a volatile pointer: a compiler may not drop these stores (C99 5.1.2.3).
void pinmac_wipe(void *memory, size_t size);

// Wipe the stack below the caller, where the ciphers spilled their registers.
void pinmac_wipe_stack(void);

// Compare in a time that depends on the size alone.
bool pinmac_equal(const uint8_t *a, const uint8_t *b, size_t size);

// One nibble (0-15) as an upper-case hexadecimal character, without a table or a branch.
uint8_t pinmac_hex(unsigned nibble);

void pinmac_xor(uint8_t *into, const uint8_t *from, size_t size);

#endif
