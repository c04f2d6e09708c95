/* Whole-process CPU time (user and system, children's included) of two commands, run in turn.
   Prints both medians in milliseconds and their ratio. startup ROUNDS COMMAND -- COMMAND */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 10000 };

static double milliseconds(struct timeval t) {
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static double run(char **argv) {
    struct rusage usage;
    int status;
    pid_t pid = vfork();
    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &usage) < 0 || status != 0) {
        fprintf(stderr, "%s failed\n", argv[0]);
        exit(1);
    }
    return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *list, int count) {
    qsort(list, (size_t)count, sizeof *list, compare);
    return list[count / 2];
}

int main(int argc, char **argv) {
    static double first[ROUNDS_MAX], second[ROUNDS_MAX];
    int rounds = argc > 1 ? atoi(argv[1]) : 0, split = 2;
    while (split < argc && strcmp(argv[split], "--"))
        split++;
    if (rounds < 1 || rounds > ROUNDS_MAX || split < 3 || split + 1 >= argc)
        return fprintf(stderr, "usage: startup ROUNDS COMMAND -- COMMAND\n"), 2;
    argv[split] = NULL;
    for (int i = 0; i < rounds; i++) {
        first[i] = run(argv + 2);
        second[i] = run(argv + split + 1);
    }
    double a = median(first, rounds), b = median(second, rounds);
    printf("start-up, CPU milliseconds (median of %d): %s %.2f, %s %.2f, ratio %.2f\n", rounds,
           argv[2], a, argv[split + 1], b, a / b);
    return 0;
}
