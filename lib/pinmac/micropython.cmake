# pinmac in a CMake-built MicroPython (the ESP32-S3).
file(GLOB PINMAC_CORE CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/core/*.c)

# The core and its port know nothing of MicroPython: a library of their own, with warnings of their own.
add_library(pinmac_core STATIC
    ${PINMAC_CORE}
    ${CMAKE_CURRENT_LIST_DIR}/ports/esp32/pinmac_port_esp32.c
)
target_compile_options(pinmac_core PRIVATE -Os -Wall -Wextra -Wconversion -Werror)
target_link_libraries(pinmac_core PRIVATE idf::esp_security idf::esp_hw_support idf::esp_partition idf::esp_timer)

add_library(usermod_pinmac INTERFACE)
target_sources(usermod_pinmac INTERFACE ${CMAKE_CURRENT_LIST_DIR}/modpinmac.c)
target_include_directories(usermod_pinmac INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(usermod_pinmac INTERFACE pinmac_core)
target_link_libraries(usermod INTERFACE usermod_pinmac)
