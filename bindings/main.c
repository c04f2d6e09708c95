/* The program nsh. */
#include <lualib.h>

#include "nsh.h"

int main(void) {
    return 0;
}
