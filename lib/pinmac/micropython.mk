# pinmac in a make-built MicroPython (the unix port of the sim board, the bare boards).
PINMAC_DIR := $(USERMOD_DIR)
# The folder in ports/ that gives this board's secret, salt, entropy and ticks.
PINMAC_PORT ?= unix

SRC_USERMOD_C += $(PINMAC_DIR)/modpinmac.c
SRC_USERMOD_LIB_C += $(sort $(wildcard $(PINMAC_DIR)/core/*.c))
SRC_USERMOD_LIB_C += $(PINMAC_DIR)/ports/$(PINMAC_PORT)/pinmac_port_$(PINMAC_PORT).c

CFLAGS_USERMOD += -I$(PINMAC_DIR)

# The core has warnings of its own, and is small rather than quick: its loops gain little from -O2.
# A board may add what its compiler knows to save room.
PINMAC_CFLAGS ?=
$(BUILD)/pinmac/core/%.o: CFLAGS += -Os $(PINMAC_CFLAGS) -Wall -Wextra -Wconversion -Werror
