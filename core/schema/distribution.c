#include "distribution.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cleanup.h"

/* Debian has them below the machine's triplet. */
static const char places[] = "{/usr/lib,/usr/lib/*,/usr/lib64,/usr/share}/tc";

static void close_file(FILE **file) {
    if (*file)
        fclose(*file);
}

static FILE *open_table(const char *name) {
    const char *own = getenv("TC_LIB_DIR");
    char pattern[512];
    glob_t found = { 0 };
    snprintf(pattern, sizeof pattern, "%s/%s.dist", own ? own : places, name);
    bool there = glob(pattern, GLOB_BRACE, NULL, &found) == 0;
    FILE *file = there ? fopen(found.gl_pathv[0], "re") : NULL;
    globfree(&found);
    return file;
}

/* Numbers in lines; "#" begins a comment. -1 if there are more than `most`. */
static int read_numbers(FILE *file, int16_t *numbers, int most) {
    cleanup_free char *line = NULL;
    size_t size = 0;
    int count = 0;
    while (getline(&line, &size, file) >= 0) {
        char *at = line, *end;
        line[strcspn(line, "#")] = 0;
        for (long number; number = strtol(at, &end, 10), end != at; at = end) {
            if (count == most)
                return -1;
            numbers[count++] = (int16_t)number;
        }
    }
    return count;
}

int distribution_read(const char *name, int16_t *numbers, int most, struct error *err) {
    if (strpbrk(name, "/*?[{"))
        return error_set(err, EINVAL, "\"%s\" is no name of a table such as \"normal\"",
                         SHORT(name));
    __attribute__((cleanup(close_file))) FILE *file = open_table(name);
    if (!file)
        return error_set(err, ENOENT, "iproute2 has no table \"%s\" here", SHORT(name));
    int count = read_numbers(file, numbers, most);
    if (count < 0)
        return error_set(err, E2BIG, "the table \"%s\" has more than %d numbers", SHORT(name),
                         most);
    return count > 0 ? count : error_set(err, EINVAL, "the table \"%s\" is empty", SHORT(name));
}
