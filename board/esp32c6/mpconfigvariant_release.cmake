# `make firmware PROFILE=release`: secure boot, encryption and closed doors.
list(APPEND SDKCONFIG_DEFAULTS ${MICROPY_BOARD_DIR}/../sdkconfig.release)
