# Suanpan: one command each. Everything that is built lands in build/ and .venv/.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BUILD   := build
ABS     := $(CURDIR)/build
MPY     := $(ABS)/sources/micropython
VENV    := .venv
PYTHON  := $(VENV)/bin/python
EMV     := $(BUILD)/emv-client
LOGS    := $(BUILD)/logs
JOBS    := $(shell nproc 2>/dev/null || echo 2)
ARGS    ?=
BOARD   ?= esp32s3
PROFILE ?= development

# No image says in which folder it was built.
export SOURCE_DATE_EPOCH ?= 1746316800
NAMELESS := -ffile-prefix-map=$(CURDIR)=.

# One step of the build, with a log and the seconds it took: $(call step,what is said,log,command)
step = @mkdir -p $(LOGS); printf '  %-36s' '$(1)'; begun=$$SECONDS; \
  if ( $(3) ) > $(LOGS)/$(2).log 2>&1; then echo "$$((SECONDS - begun)) s"; \
  else echo failed; tail -n 12 $(LOGS)/$(2).log; echo "$(or $(4),The whole log: $(LOGS)/$(2).log)"; exit 1; fi

.PHONY: help build sim test test-long check qemu bench reproducible clean packages packages-test packages-bare golden firmware firmware-ready flash

help: ## show this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

build: packages $(BUILD)/sim/micropython $(VENV)/.ready $(BUILD)/pki/.ready ## set up and build only

sim: build ## the terminal on the screen: acquirer, virtual board, page (ARGS="--port 0 --headless …")
	@$(VENV)/bin/pos sim $(ARGS)

test: build packages-test $(BUILD)/sim32/micropython $(VENV)/.test-ready $(EMV)/.ready ## the whole quick suite
	@$(PYTHON) -m pytest --ignore tests/bare -m "not long and not alone" -n 3 --dist loadfile $(ARGS)
	@$(PYTHON) -m pytest --ignore tests/bare -m "not long and alone" $(ARGS)

test-long: build packages-test $(BUILD)/sim32/micropython $(VENV)/.test-ready $(EMV)/.ready ## the nightly: exhaustive and slow
	@$(PYTHON) -m pytest --ignore tests/bare -m "long" -n 2 --dist load -v $(ARGS)

qemu: $(BUILD)/qemu/firmware.elf $(VENV)/.test-ready ## build and run on the bare 32-bit core
	@$(PYTHON) -m pytest tests/bare $(ARGS)

check: build ## ruff, mypy, arrows, boards (pins, partitions, options, names), generated files, sizes, memory, compilers, entropy
	@echo "ruff";      $(VENV)/bin/ruff check .
	@echo "mypy";      $(PYTHON) -m tools.check.types
	@echo "arrows";    $(PYTHON) -m tools.check.layers
	@echo "pins";      $(PYTHON) -m tools.check.pins
	@echo "partitions"; $(PYTHON) -m tools.check.partitions
	@echo "config";    $(PYTHON) -m tools.check.config
	@echo "names";     $(PYTHON) -m tools.check.names
	@echo "generated"; $(PYTHON) -m tools.check.generated
	@echo "sizes";     $(PYTHON) -m tools.check.sizes
	@echo "memory";    $(PYTHON) -m tools.check.memory
	@echo "compilers"; $(PYTHON) -m tools.check.compilers
	@echo "entropy";   $(PYTHON) -m tools.check.entropy

bench: build $(BUILD)/sim32/micropython $(BUILD)/qemu/firmware.elf $(VENV)/.test-ready ## the benchmark table, and build/bench.json
	@$(PYTHON) -m tools.bench

reproducible: build packages-bare ## two clones build the same images, byte for byte
	@$(PYTHON) -m tools.check.reproducible

golden: build ## accept the pictures of all stories as the golden ones, after looking at the report
	@rm -rf $(BUILD)/golden/now; $(VENV)/bin/pos play tests/stories/*.yaml || true
	@$(PYTHON) -m tools.sim.goldens --accept

# MicroPython's own ESP32 build with a board folder of ours; a profile is what it calls a variant.
PROFILES     := development release
VARIANT      := $(filter-out development,$(PROFILE))
IMAGE        := $(ABS)/$(BOARD)$(VARIANT:%=-%)
ESP32_PORT    = -C $(MPY)/ports/esp32 BOARD_DIR=$(CURDIR)/board/$(BOARD) BUILD=$(IMAGE) $(VARIANT:%=BOARD_VARIANT=%)

firmware-ready:
	@[ -f board/$(BOARD)/sdkconfig.board ] || { echo "firmware: there is no board $(BOARD); BOARD is one of: $(patsubst board/%/sdkconfig.board,%,$(wildcard board/*/sdkconfig.board))."; exit 1; }
	@[ -n "$(filter $(PROFILE),$(PROFILES))" ] || { echo "firmware: there is no profile $(PROFILE); PROFILE is one of: $(PROFILES)."; exit 1; }
	@[ -n "$$IDF_PATH" ] || { echo "firmware: IDF_PATH is not set: install ESP-IDF 5.4 and run '. export.sh' in its folder first."; exit 1; }
	@[ -f "$$IDF_PATH/tools/idf.py" ] || { echo "firmware: IDF_PATH leads to $$IDF_PATH, where no ESP-IDF is: run '. export.sh' in the folder of ESP-IDF 5.4."; exit 1; }
	@command -v idf.py > /dev/null || { echo "firmware: idf.py is not on the PATH: run '. $$IDF_PATH/export.sh' first."; exit 1; }

firmware: firmware-ready $(BUILD)/mpy-cross/mpy-cross $(BUILD)/gen/.ready ## the real image (BOARD=esp32s3 PROFILE=development; needs ESP-IDF 5.4)
	$(MAKE) $(ESP32_PORT) USER_C_MODULES=$(CURDIR)/lib/pinmac/micropython.cmake FROZEN_MANIFEST=$(CURDIR)/board/$(BOARD)/manifest.py
	@$(PYTHON) -m tools.workshop.manifest $(IMAGE)/flasher_args.json

flash: firmware ## that image onto a device (PORT=/dev/ttyACM0)
	@[ -n "$(PORT)" ] || { echo "flash: name the device's port: make flash PORT=/dev/ttyACM0"; exit 1; }
	@[ "$(PROFILE)" != release ] || { echo "flash: a release image is signed before it is written: see board/$(BOARD)/deploy.md."; exit 1; }
	$(MAKE) $(ESP32_PORT) PORT=$(PORT) deploy

clean: ## remove what was built (the sources and the virtual environment stay)
	rm -rf $(filter-out $(BUILD)/sources,$(wildcard $(BUILD)/*))

## ---- what the machine must have

packages:
	@command -v python3 > /dev/null || { echo "python3 is missing: apt-get install python3"; exit 1; }
	@python3 -m tools.toolchain.packages build

packages-test:
	@python3 -m tools.toolchain.packages build test

packages-bare:
	@python3 -m tools.toolchain.packages build bare

## ---- sources, mbedTLS, mpy-cross

$(BUILD)/sources/.ready: tools/toolchain/sources.py $(wildcard tools/toolchain/patches/*.patch) | packages
	$(call step,fetching MicroPython and mbedTLS,sources,python3 -m tools.toolchain.sources $(BUILD) && touch $@,Nothing was built.)

$(BUILD)/mpy-cross/mpy-cross: $(BUILD)/sources/.ready
	$(call step,building mpy-cross,mpy-cross,$(MAKE) -C $(MPY)/mpy-cross -j$(JOBS) BUILD=$(ABS)/mpy-cross)

$(BUILD)/mbedtls/library/libmbedtls.a: $(BUILD)/sources/.ready
	$(call step,building mbedTLS,mbedtls,rm -rf $(BUILD)/mbedtls && cp -rL $(BUILD)/sources/mbedtls $(BUILD)/mbedtls && $(MAKE) -C $(BUILD)/mbedtls/library clean && $(MAKE) -C $(BUILD)/mbedtls/library -j$(JOBS) static CFLAGS="-O2 $(NAMELESS)")

$(BUILD)/mbedtls32/library/libmbedtls.a: $(BUILD)/sources/.ready | packages-test
	$(call step,building mbedTLS (32-bit),mbedtls32,rm -rf $(BUILD)/mbedtls32 && cp -rL $(BUILD)/sources/mbedtls $(BUILD)/mbedtls32 && $(MAKE) -C $(BUILD)/mbedtls32/library clean && $(MAKE) -C $(BUILD)/mbedtls32/library -j$(JOBS) static CC="gcc -m32" CFLAGS="-O2 $(NAMELESS)")

## ---- the sim board's interpreter

DEVICE := $(shell find board lib firmware main.py boot.py -type f -not -name '*.pyc' -not -name '*.md' 2>/dev/null)

# $(call unix_port,build folder,mbedTLS folder,more make variables)
unix_port = $(MAKE) -C $(MPY)/ports/unix -j$(JOBS) VARIANT_DIR=$(CURDIR)/board/sim BUILD=$(ABS)/$(1) \
  MICROPY_MPYCROSS=$(ABS)/mpy-cross/mpy-cross MICROPY_MPYCROSS_DEPENDENCY= USER_C_MODULES=$(CURDIR)/lib \
  CFLAGS_EXTRA="-I$(ABS)/$(2)/include $(NAMELESS)" $(3)

$(BUILD)/gen/.ready: $(wildcard tools/toolchain/fonts.py) $(shell find firmware/ui -name '*.py' 2>/dev/null) $(VENV)/.ready
	$(call step,drawing the fonts,fonts,mkdir -p $(BUILD)/gen && { [ ! -f tools/toolchain/fonts.py ] || $(PYTHON) -m tools.toolchain.fonts $(BUILD)/gen; } && touch $@)

$(BUILD)/sim/micropython: $(BUILD)/mpy-cross/mpy-cross $(BUILD)/mbedtls/library/libmbedtls.a $(BUILD)/gen/.ready $(DEVICE)
	$(call step,building the sim board,sim,$(call unix_port,sim,mbedtls,LDFLAGS_EXTRA=-L$(ABS)/mbedtls/library) && touch $@)

$(BUILD)/sim32/micropython: $(BUILD)/sim/micropython $(BUILD)/mbedtls32/library/libmbedtls.a
	$(call step,building the sim board (32-bit),sim32,$(call unix_port,sim32,mbedtls32,CC="gcc -m32" LDFLAGS_EXTRA="-static -L$(ABS)/mbedtls32/library") && touch $@)

## ---- the bare board's image

$(BUILD)/qemu/firmware.elf: $(BUILD)/mpy-cross/mpy-cross $(BUILD)/gen/.ready $(filter board/qemu/% board/libraries.py board/bench.py lib/% firmware/%,$(DEVICE)) tests/unit/flashbed.py tests/unit/desk.py | packages-bare
	$(call step,building the bare board,qemu,$(MAKE) -C $(MPY)/ports/qemu -j$(JOBS) BOARD_DIR=$(CURDIR)/board/qemu BUILD=$(ABS)/qemu MICROPY_MPYCROSS=$(ABS)/mpy-cross/mpy-cross MICROPY_MPYCROSS_DEPENDENCY= USER_C_MODULES=$(CURDIR)/lib CFLAGS_EXTRA=$(NAMELESS) && touch $@)

## ---- the workstation's side

$(VENV)/.ready: requirements.txt pyproject.toml | packages
	$(call step,making the virtual environment,venv,python3 -m venv $(VENV) && $(VENV)/bin/pip install --quiet --no-compile --disable-pip-version-check -r requirements.txt && $(VENV)/bin/pip install --quiet --no-compile --disable-pip-version-check --no-deps --no-build-isolation -e . && touch $@,Is the network up? The packages come from PyPI; run the command again.)

$(VENV)/.test-ready: requirements-test.txt $(VENV)/.ready | packages-test
	$(call step,adding the test tools,venv-test,$(VENV)/bin/pip install --quiet --no-compile --disable-pip-version-check -r requirements-test.txt && touch $@,Is the network up? The packages come from PyPI; run the command again.)

# Someone else's reader of EMV cards; it pins old packages, and so lives apart.
$(EMV)/.ready: requirements-emv.txt | packages-test
	$(call step,adding a foreign card reader,emv-client,python3 -m venv $(EMV) && $(EMV)/bin/pip install --quiet --no-compile --disable-pip-version-check -r requirements-emv.txt && touch $@,Is the network up? The packages come from PyPI; run the command again.)

$(BUILD)/pki/.ready: tools/acquirer/pki.py $(VENV)/.ready
	$(call step,making the test certificates,pki,$(PYTHON) -m tools.acquirer.pki && touch $@)
