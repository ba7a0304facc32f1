// The bare board: MicroPython's ports/qemu with time, select and asyncio, which that port leaves out.
#include "mpconfigport.h"

#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)

#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)

#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (1)

// The workshop's injection is bytes on the console, and its files lie on littlefs.
#undef MICROPY_PY_SYS_STDIO_BUFFER
#define MICROPY_PY_SYS_STDIO_BUFFER (1)

// EMV's SHA-1 and SHA-256 are mbedTLS's, as on the ESP32; there is no TLS here.
#define MICROPY_SSL_MBEDTLS (1)
#undef MICROPY_PY_HASHLIB_SHA1
#define MICROPY_PY_HASHLIB_SHA1 (1)

// A wait sleeps to its end instead of counting instructions (clock.c).
void board_wait_ms(uint32_t ms);
#define MICROPY_INTERNAL_WFE(TIMEOUT_MS) board_wait_ms((uint32_t)(TIMEOUT_MS))
