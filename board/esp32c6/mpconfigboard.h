// The terminal on an ESP32-C6. UART0 belongs to the contact reader, so the console is the native
// USB alone; its pins are the port's own.
#define MICROPY_HW_BOARD_NAME "Suanpan terminal C6"
#define MICROPY_HW_MCU_NAME "ESP32C6"
#define MICROPY_HW_ENABLE_UART_REPL (0)
#define MICROPY_PY_MACHINE_I2S (0)
#define MICROPY_PY_ESPNOW (0)
#define MICROPY_PY_BLUETOOTH (0)
