// The work area and its wiping.
#include "work.h"

#include "secure.h"

union pinmac_work_area pinmac_work;

void pinmac_work_wipe(void) {
    pinmac_wipe(&pinmac_work, sizeof pinmac_work);
    pinmac_wipe_stack();
}

enum pinmac_result pinmac_work_end(enum pinmac_result result) {
    pinmac_work_wipe();
    return result;
}
