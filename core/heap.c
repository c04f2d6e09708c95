#include "heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STEP = 512 * 1024, PAGE = 4096, TAKEN_BACK_MAX = 8 * 1024 * 1024 };

/* Those pages of what lies below the program break that we have asked for. */
static char *bottom, *top;

/* Before Linux 5.14 it fails, and each page comes by itself. */
static void populate(char *from, char *to) {
    madvise(from, (size_t)(to - from), MADV_POPULATE_WRITE);
}

static char *page_of(char *block) {
    return block - (uintptr_t)block % PAGE;
}

static void follow(char *block) {
    char *from = bottom ? top : page_of(block);
    if (!bottom)
        bottom = from;
    top = page_of(sbrk(0));
    if (from < top)
        populate(from, top);
}

void heap_prepare(void) {
    mallopt(M_TOP_PAD, STEP);
}

void *heap_allocate(void *unused, void *block, size_t old_size, size_t size) {
    (void)unused, (void)old_size;
    if (size == 0) {
        free(block);
        return NULL;
    }
    char *result = realloc(block, size);
    if (result && result + size > top && result < (char *)sbrk(0)) /* the largest lie elsewhere */
        follow(result);
    return result;
}

void heap_take_back(void) {
    if (bottom && top - bottom <= TAKEN_BACK_MAX)
        populate(bottom, top);
}
