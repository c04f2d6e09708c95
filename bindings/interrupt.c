#include "interrupt.h"

int interrupt_fd(void) {
    return -1;
}

void interrupt_check(lua_State *L) {
    (void)L;
}
