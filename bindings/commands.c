#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../core/labs.h"
#include "modules.h"
#include "run.h"

enum { DOWN_MS = 30000, COLUMNS = 5 };

static int usage(const char *words) {
    fprintf(stderr, "usage: nsh %s\n", words);
    return EXIT_USAGE;
}

int print_error(const struct error *err) {
    say_error(err->message);
    if (err->hint[0])
        fprintf(stderr, "  hint: %s\n", err->hint);
    return EXIT_FAILURE;
}

/* --- nsh list --------------------------------------------------------------------------------- */

/* The rows are text before they are printed: columns are as wide as what is in them. */
struct row {
    char cells[COLUMNS][SCRIPT_NAME_MAX + 1];
};

static const char *state_of(const struct lab *lab) {
    return !lab->answered ? "ending" : lab->info.alive ? "up" : "kept";
}

static void describe(const struct lab *lab, struct row *row) {
    struct tm local;
    time_t since = lab->info.since;
    char(*cells)[SCRIPT_NAME_MAX + 1] = row->cells;
    snprintf(cells[0], sizeof *cells, "%s", lab->name);
    snprintf(cells[1], sizeof *cells, "%d", (int)lab->pid);
    if (!lab->answered || !lab->info.alive || lab->pid == 0)
        snprintf(cells[1], sizeof *cells, "%s", state_of(lab));
    if (!lab->answered)
        return;
    snprintf(cells[2], sizeof *cells, "%u", lab->info.nodes);
    strftime(cells[3], sizeof *cells, "%F %T", localtime_r(&since, &local));
    snprintf(cells[4], sizeof *cells, "%s", lab->info.script);
}

/* Columns on a terminal, as far as bytes of UTF-8 tell. */
static int width_of(const char *text) {
    int width = 0;
    for (; *text; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static void print_row(const struct row *row, const int *widths) {
    for (int i = 0; i < COLUMNS; i++) {
        const char *cell = row->cells[i];
        bool last = i == COLUMNS - 1;
        printf("%s%*s", cell, last ? 0 : widths[i] - width_of(cell) + 2, "");
    }
    putchar('\n');
}

static int print_table(const struct labs *labs) {
    static const struct row titles = { { "NAME", "NSH", "NODES", "SINCE", "SCRIPT" } };
    struct row *rows = calloc(labs->count + 1, sizeof *rows);
    int widths[COLUMNS] = { 0 };
    if (!rows)
        return -1;
    rows[0] = titles;
    for (size_t i = 0; i < labs->count; i++)
        describe(&labs->list[i], &rows[i + 1]);
    for (size_t i = 0; i <= labs->count; i++)
        for (int j = 0; j < COLUMNS; j++)
            widths[j] =
                width_of(rows[i].cells[j]) > widths[j] ? width_of(rows[i].cells[j]) : widths[j];
    for (size_t i = 0; i <= labs->count && labs->count > 0; i++)
        print_row(&rows[i], widths);
    free(rows);
    return 0;
}

static void print_string(const char *key, const char *text) {
    printf("\"%s\":\"", key);
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    putchar('"');
}

static void print_record(const struct lab *lab) {
    struct tm utc;
    char since[32];
    time_t seconds = lab->info.since;
    putchar('{');
    print_string("name", lab->name);
    printf(",\"state\":\"%s\"", state_of(lab));
    if (lab->answered && lab->info.alive && lab->pid != 0)
        printf(",\"pid\":%d", (int)lab->pid);
    if (lab->answered) {
        strftime(since, sizeof since, "%FT%TZ", gmtime_r(&seconds, &utc));
        printf(",\"nodes\":%u,\"since\":\"%s\",", lab->info.nodes, since);
        print_string("script", lab->info.script);
    }
    putchar('}');
}

static void print_json(const struct labs *labs) {
    putchar('[');
    for (size_t i = 0; i < labs->count; i++) {
        if (i > 0)
            putchar(',');
        print_record(&labs->list[i]);
    }
    puts("]");
}

static int list(const struct settings *settings, char **arguments) {
    struct labs labs;
    struct error err;
    bool json = settings->json || (arguments[0] && !strcmp(arguments[0], "-j"));
    if (arguments[0] && (strcmp(arguments[0], "-j") != 0 || arguments[1]))
        return usage("list [-j]");
    int result = labs_open(&labs, &err);
    if (result == 0 && json)
        print_json(&labs);
    else if (result == 0 && print_table(&labs) < 0)
        result = error_errno(&err, ENOMEM);
    labs_free(&labs);
    return result < 0 ? print_error(&err) : check_output(EXIT_SUCCESS);
}

/* --- nsh down --------------------------------------------------------------------------------- */

static int down(const struct settings *settings, char **arguments) {
    struct lab lab;
    struct error err;
    (void)settings;
    if (!arguments[0] || arguments[1])
        return usage("down LAB");
    if (lab_open(&lab, arguments[0], &err) < 0)
        return print_error(&err);
    int result = lab_end(&lab, DOWN_MS, &err);
    close(lab.socket);
    return result < 0 ? print_error(&err) : EXIT_SUCCESS;
}

/* --- nsh completion --------------------------------------------------------------------------- */

static void print_lab(const struct lab *lab) {
    puts(lab->name);
}

/* Each also with its lab before it, which is needed where several labs have one of that name. */
static void print_nodes(const struct lab *lab) {
    printf("%s\n%s/%s\n", HOST_NODE, lab->name, HOST_NODE);
    for (size_t at = 0; at < lab->nodes_size; at += strlen(lab->nodes + at) + 1)
        printf("%s\n%s/%s\n", lab->nodes + at, lab->name, lab->nodes + at);
}

static int print_each(void (*print)(const struct lab *lab)) {
    struct labs labs;
    struct error err;
    if (labs_open(&labs, &err) < 0)
        return print_error(&err);
    for (size_t i = 0; i < labs.count; i++)
        print(&labs.list[i]);
    labs_free(&labs);
    return EXIT_SUCCESS;
}

/* What the scripts ask for at each Tab. */
static const struct {
    const char *name;
    void (*of_lab)(const struct lab *lab);
    void (*all)(void);
} answers[] = {
    { "labs", .of_lab = print_lab },
    { "nodes", .of_lab = print_nodes },
    { "options", .all = print_options },
    { "commands", .all = print_command_names },
};

static int answer(const char *name) {
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (strcmp(answers[i].name, name) != 0)
            continue;
        if (answers[i].of_lab)
            return print_each(answers[i].of_lab);
        answers[i].all();
        return EXIT_SUCCESS;
    }
    return usage("completion bash|zsh");
}

static int completion(const struct settings *settings, char **arguments) {
    char file[32] = "";
    const char *what = arguments[0] && !arguments[1] ? arguments[0] : "";
    (void)settings;
    snprintf(file, sizeof file, "completion.%s", what);
    const char *script = embedded_text(file);
    if (!script)
        return check_output(answer(what));
    fputs(script, stdout);
    return check_output(EXIT_SUCCESS);
}

/* --- which ------------------------------------------------------------------------------------ */

static int enter(const struct settings *settings, char **arguments) {
    (void)settings;
    return arguments[0] ? enter_node(arguments) : usage("enter [LAB/]NODE [COMMAND...]");
}

int run_command(const struct settings *settings, char **arguments) {
    static int (*const run[])(const struct settings *, char **) = {
        [COMMAND_LIST] = list,
        [COMMAND_DOWN] = down,
        [COMMAND_ENTER] = enter,
        [COMMAND_COMPLETION] = completion,
    };
    return run[settings->command](settings, arguments);
}
