/* Lua's memory: malloc's, but for the way its heap grows. A page that the kernel adds when it is
   first touched costs a fault, which under a hypervisor takes twenty times as long as the page
   itself: so they are all asked for at once, in few large steps. */
#pragma once

#include <stddef.h>

/* To be called once, before heap_allocate. */
void heap_prepare(void);

/* A lua_Alloc: its first argument and the old size are not used. */
void *heap_allocate(void *unused, void *block, size_t old_size, size_t size);

/* After a fork, whose child has only borrowed the heap and stays: gives us pages of our own, at
   once instead of with a fault for each. Does nothing if heap_allocate never has. */
void heap_take_back(void);
