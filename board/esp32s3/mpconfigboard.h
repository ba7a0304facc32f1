// The reference terminal. UART0 belongs to the scanner, so the console is the native USB alone.
#define MICROPY_HW_BOARD_NAME "Suanpan terminal"
#define MICROPY_HW_MCU_NAME "ESP32S3"
#define MICROPY_HW_ENABLE_UART_REPL (0)
#define MICROPY_PY_ESPNOW (0)
#define MICROPY_PY_BLUETOOTH (0)
