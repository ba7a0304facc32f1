# The sim board's make settings; the Makefile at the top hands in the mbedTLS tree.
MICROPY_PY_FFI = 0
MICROPY_PY_BTREE = 0
MICROPY_VFS_LFS2 = 1
MICROPY_PY_SSL = 1
MICROPY_SSL_MBEDTLS = 1

FROZEN_MANIFEST = $(VARIANT_DIR)/manifest.py

# simclock.c (make picks up every .c of this folder) stands in for the host's clock and randomness.
LDFLAGS += -Wl,--wrap=time,--wrap=gettimeofday,--wrap=clock_gettime
LDFLAGS += -Wl,--wrap=mbedtls_platform_entropy_poll,--wrap=mp_hal_get_random
LDFLAGS += -Wl,--wrap=mp_cstack_init_with_sp_here
