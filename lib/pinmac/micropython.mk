# pinmac in a make-built MicroPython (the unix port of the sim board, the bare boards).
PINMAC_DIR := $(USERMOD_DIR)
# The folder in ports/ that gives this board's secret, salt, entropy and ticks.
PINMAC_PORT ?= unix

SRC_USERMOD_C += $(PINMAC_DIR)/modpinmac.c
SRC_USERMOD_LIB_C += $(sort $(wildcard $(PINMAC_DIR)/core/*.c))
SRC_USERMOD_LIB_C += $(PINMAC_DIR)/ports/$(PINMAC_PORT)/pinmac_port_$(PINMAC_PORT).c

CFLAGS_USERMOD += -I$(PINMAC_DIR)

# Computed S-boxes are arithmetic: worth optimising for speed. The core has warnings of its own.
$(BUILD)/pinmac/core/%.o: CFLAGS += -O2 -Wall -Wextra -Wconversion -Werror
