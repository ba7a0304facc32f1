# The bare board's make settings, for MicroPython's ports/qemu: the `virt` machine with one 32-bit core.
QEMU_ARCH = riscv32
QEMU_MACHINE = virt
LDSCRIPT = mcu/rv32/virt.ld

# Debian's GCC 12 has no 32-bit library for the port's own rv32imac_zicsr: it would link the 64-bit one.
RV32_ARCH = rv32imac -misa-spec=2.2
MICROPY_HEAP_SIZE = 262144

CFLAGS += -DQEMU_SOC_VIRT -DMICROPY_HW_MCU_NAME='"rv32imac"'
CFLAGS += -I$(BOARD_DIR) -DMP_CONFIGFILE='"mpconfigboard.h"'
QSTR_GLOBAL_DEPENDENCIES += $(BOARD_DIR)/mpconfigboard.h

# Of mbedTLS the hashes alone.
MBEDTLS = $(BOARD_DIR)/../../build/sources/mbedtls
CFLAGS += -I$(MBEDTLS)/include -DMBEDTLS_CONFIG_FILE='"hashes.h"'
SRC_C += $(addprefix $(MBEDTLS)/library/, sha1.c sha256.c platform_util.c)

# Time and instruction counts of this board, and the door to the host through which entropy comes.
SRC_C += $(BOARD_DIR)/clock.c $(BOARD_DIR)/modcpu.c shared/runtime/semihosting_rv32.c
SRC_BOARD_O += shared/runtime/gchelper_native.o shared/runtime/gchelper_rv32i.o

# Python's recursion limit, as on the ESP32; the port's own 10 kB of its 64 kB stack is less.
LDFLAGS += -Wl,--wrap=mp_stack_set_limit

# The file systems of the ledger and the workshop's bench, on flash in memory.
MICROPY_VFS_LFS2 = 1

PINMAC_PORT = bare
# Shared routines save and restore the registers of the core's functions: 3 % less code.
PINMAC_CFLAGS += -msave-restore
FROZEN_MANIFEST = $(BOARD_DIR)/manifest.py
MPY_CROSS_FLAGS += -march=rv32imc
