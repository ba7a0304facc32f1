# What a terminal's board adds to its SDKCONFIG_DEFAULTS, included at the end of mpconfigboard.cmake.
# The sdkconfig files are joined as they stand, without variables, so the partition table's place is
# written into one here.
file(WRITE ${CMAKE_BINARY_DIR}/sdkconfig.partitions
    "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${MICROPY_BOARD_DIR}/partitions.csv\"\n"
)
list(APPEND SDKCONFIG_DEFAULTS
    ${CMAKE_CURRENT_LIST_DIR}/sdkconfig.terminal
    ${CMAKE_BINARY_DIR}/sdkconfig.partitions
)

if(NOT MICROPY_FROZEN_MANIFEST)
    set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
endif()
