/* Bytes as the time that they take at a rate, in ticks of 64 ns (PSCHED_SHIFT in
   include/net/pkt_sched.h): so qdiscs keep what may be sent at once. */
#pragma once

#include <math.h>

enum { TICK = 64 /* ns */, TICKS_A_SECOND = 15625000 };

/* The kernel's ticks for that many bytes at that many bytes a second; a part of one is cut off. */
static inline double ticks_for(double bytes, double rate) {
    return floor(bytes / rate * TICKS_A_SECOND);
}

/* The bytes that were meant, where a byte takes longer than a tick; else those in the middle. */
static inline double bytes_in_ticks(double ticks, double rate) {
    return ceil((ticks + (rate > TICKS_A_SECOND ? 0.5 : 0)) * rate / TICKS_A_SECOND);
}
