// `cpu`, a module of the bare board only: the core's own count of the instructions it has retired,
// and memory that stands for a flash chip, so that none of the heap does.

#include "py/obj.h"
#include "py/objarray.h"
#include "py/objint.h"
#include "py/runtime.h"

#define FLASH_BYTES (512 * 1024)

static uint8_t flash_bytes[FLASH_BYTES];

/// def instructions() -> int:
///     """Instructions retired since power-on: the CSR minstret, 64 bits.
///
///     Exact, and the same in every run, under QEMU's `-icount`. A difference of two counts contains
///     the call itself: take that of an empty stretch from it.
///     """
static mp_obj_t instructions(void) {
    uint32_t high, low, again;
    do {
        __asm volatile ("csrr %0, minstreth" : "=r" (high));
        __asm volatile ("csrr %0, minstret" : "=r" (low));
        __asm volatile ("csrr %0, minstreth" : "=r" (again));
    } while (high != again);
    return mp_obj_new_int_from_ull((uint64_t)high << 32 | low);
}
static MP_DEFINE_CONST_FUN_OBJ_0(instructions_obj, instructions);

/// def flash(size: int) -> bytearray:
///     """The first `size` bytes of 512 KB beside the heap: the same at every call, zeros after
///     power-on. ValueError for more than there are."""
static mp_obj_t flash(mp_obj_t size_in) {
    mp_int_t size = mp_obj_get_int(size_in);
    if (size < 0 || size > FLASH_BYTES) {
        mp_raise_ValueError(MP_ERROR_TEXT("the flash has 512 KB"));
    }
    return mp_obj_new_bytearray_by_ref((size_t)size, flash_bytes);
}
static MP_DEFINE_CONST_FUN_OBJ_1(flash_obj, flash);

static const mp_rom_map_elem_t cpu_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_cpu)},
    {MP_ROM_QSTR(MP_QSTR_flash), MP_ROM_PTR(&flash_obj)},
    {MP_ROM_QSTR(MP_QSTR_instructions), MP_ROM_PTR(&instructions_obj)},
};
static MP_DEFINE_CONST_DICT(cpu_globals, cpu_globals_table);

const mp_obj_module_t cpu_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&cpu_globals,
};
MP_REGISTER_MODULE(MP_QSTR_cpu, cpu_module);
