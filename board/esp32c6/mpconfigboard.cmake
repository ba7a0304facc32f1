# ESP32-C6-WROOM-1-N16: 16 MB flash, no PSRAM, USB Serial/JTAG as the console.
set(IDF_TARGET esp32c6)

set(SDKCONFIG_DEFAULTS
    boards/sdkconfig.base
    boards/sdkconfig.c6
    ${MICROPY_BOARD_DIR}/sdkconfig.board
)
include(${MICROPY_BOARD_DIR}/../espressif.cmake)
