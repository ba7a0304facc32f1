# Suanpan: one command each. Everything that is built lands in build/ and .venv/.

SHELL := /bin/bash
.DEFAULT_GOAL := help

REPO    := $(CURDIR)
BUILD   := build
ABS     := $(CURDIR)/build
SOURCES := $(BUILD)/sources
MPY     := $(ABS)/sources/micropython
VENV    := .venv
PYTHON  := $(VENV)/bin/python
LOGS    := $(BUILD)/logs
JOBS    := $(shell nproc)

# Quiet command with a log: $(call step,what is said,name of the log,command)
step = @printf '  %-34s' '$(1)'; mkdir -p $(LOGS); begun=$$SECONDS; \
  if ( $(3) ) > $(LOGS)/$(2).log 2>&1; then echo "$$((SECONDS - begun)) s"; \
  else echo failed; tail -n 15 $(LOGS)/$(2).log; echo "The whole log: $(LOGS)/$(2).log"; exit 1; fi

.PHONY: help build sim test check
help:  ## show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## */\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

build: $(BUILD)/sim/micropython $(VENV)/.ready  ## set up and build only

## ---- sources, mbedTLS, mpy-cross, the sim board's interpreter

$(SOURCES)/.ready: tools/toolchain/sources.py
	$(call step,fetching sources,sources,python3 -m tools.toolchain.sources $(BUILD) && touch $@)

$(BUILD)/mpy-cross/mpy-cross: $(SOURCES)/.ready
	$(call step,building mpy-cross,mpy-cross,$(MAKE) -C $(MPY)/mpy-cross -j$(JOBS) BUILD=$(ABS)/mpy-cross)

$(BUILD)/mbedtls/library/libmbedtls.a: $(SOURCES)/.ready
	$(call step,building mbedTLS,mbedtls,rm -rf $(BUILD)/mbedtls && cp -rL $(SOURCES)/mbedtls $(BUILD)/mbedtls && $(MAKE) -C $(BUILD)/mbedtls/library -j$(JOBS) static CFLAGS=-O2)

FROZEN := $(shell git ls-files --cached --others --exclude-standard board/sim board/esp32s3 lib firmware main.py boot.py 2>/dev/null)

$(BUILD)/sim/micropython: $(BUILD)/mpy-cross/mpy-cross $(BUILD)/mbedtls/library/libmbedtls.a $(FROZEN)
	$(call step,building the sim board,sim,$(MAKE) -C $(MPY)/ports/unix -j$(JOBS) VARIANT_DIR=$(REPO)/board/sim BUILD=$(ABS)/sim MICROPY_MPYCROSS=$(ABS)/mpy-cross/mpy-cross MICROPY_MPYCROSS_DEPENDENCY= USER_C_MODULES=$(REPO)/lib CFLAGS_EXTRA=-I$(ABS)/mbedtls/include LDFLAGS_EXTRA=-L$(ABS)/mbedtls/library)

$(VENV)/.ready: requirements.txt pyproject.toml
	$(call step,making .venv,venv,python3 -m venv $(VENV) && $(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt && $(VENV)/bin/pip install --quiet --no-deps --no-build-isolation -e . && touch $@)
