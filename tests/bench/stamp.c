/* Runs a contestant and passes its lines on; its "up" becomes the time since the start of its
   process: what a program needs to begin counts, and for all of them alike. What it said itself is
   "built". stamp COMMAND [ARG…] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static FILE *start(char **argv) {
    int ends[2];
    if (pipe(ends) < 0)
        return NULL;
    if (vfork() == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    return fdopen(ends[0], "r");
}

int main(int argc, char **argv) {
    char line[4096];
    int status = 1;
    double begin = now();
    FILE *input = argc > 1 ? start(argv + 1) : NULL;
    if (!input)
        return fprintf(stderr, "usage: stamp COMMAND [ARG...]\n"), 2;
    while (fgets(line, sizeof line, input)) {
        if (!strncmp(line, "up ", 3)) {
            double up = now() - begin;
            printf("built%s", line + 2);
            snprintf(line, sizeof line, "up %.6f\n", up);
        }
        fputs(line, stdout);
        fflush(stdout);
    }
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
