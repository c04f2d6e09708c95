#include <math.h>

#include "ping.h"

/* Welford's way: the sum of squares minus the square of the sum would lose all its digits to
   round-trip times that hardly differ. */
void ping_stats_add(struct ping_stats *stats, double value) {
    double distance = value - stats->mean;
    stats->count++;
    stats->mean += distance / stats->count;
    stats->squares += distance * (value - stats->mean);
    stats->min = stats->count == 1 ? value : fmin(stats->min, value);
    stats->max = stats->count == 1 ? value : fmax(stats->max, value);
}

double ping_stats_mdev(const struct ping_stats *stats) {
    return stats->count ? sqrt(stats->squares / stats->count) : 0;
}
