#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, TEXT, STEP };

struct option {
    char letter;          /* 0: it has none */
    const char *name;     /* behind "--"; NULL: it has none */
    const char *argument; /* what --help calls it; NULL: it takes none */
    enum kind kind;
    size_t field; /* of struct settings: a bool for FLAG, a string for TEXT */
    const char *help;
};

#define FIELD(name) offsetof(struct settings, name)

static const struct option options[] = {
    { 'e', NULL, "CODE", STEP, 0, "run CODE; print the values if it is an expression" },
    { 'l', NULL, "MODULE", STEP, 0, "require MODULE into a global of its name" },
    { 'i', NULL, NULL, FLAG, FIELD(interactive), "enter the REPL after the script" },
    { 'S', NULL, NULL, FLAG, FIELD(sandbox), "run in a sandbox: nothing reaches the real host" },
    { 'n', NULL, NULL, FLAG, FIELD(plan),
      "print the steps of the first lab that goes up, and change nothing" },
    { 'x', NULL, NULL, FLAG, FIELD(trace),
      "print each change as the ip command that does the same" },
    { 'j', NULL, NULL, FLAG, FIELD(json), "print values as JSON" },
    { 0, "run", "CMD", TEXT, FIELD(run),
      "run shell command CMD after the script; exit with its status" },
    { 'E', NULL, NULL, FLAG, FIELD(no_init), "do not read the REPL's init file" },
    { 'q', NULL, NULL, FLAG, FIELD(quiet), "no banner" },
    { 'v', NULL, NULL, FLAG, FIELD(verbose), "print a traceback with every error" },
    { 'h', "help", NULL, FLAG, FIELD(help), "print this help" },
    { 0, "version", NULL, FLAG, FIELD(version), "print the version" },
};

enum { OPTION_COUNT = sizeof options / sizeof *options };

static const struct option *find_letter(char letter) {
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (options[i].letter == letter)
            return &options[i];
    return NULL;
}

static const struct option *find_name(const char *name, size_t length) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *candidate = options[i].name;
        if (candidate && !strncmp(candidate, name, length) && !candidate[length])
            return &options[i];
    }
    return NULL;
}

static void store(struct settings *out, const struct option *option, const char *text) {
    char *field = (char *)out + option->field;
    if (option->kind == FLAG) {
        *(bool *)field = true;
    } else if (option->kind == TEXT) {
        *(const char **)field = text;
    } else {
        struct step *step = out->steps;
        while (step->letter)
            step++;
        *step = (struct step){ option->letter, text };
        out->has_code |= option->letter == 'e';
    }
}

/* The parser's place in argv, and where its complaint goes. */
struct cursor {
    char **next;
    char *message;
    size_t size;
};

static int complain(struct cursor *at, const char *format, const char *what, int length) {
    int used = snprintf(at->message, at->size, format, length, what);
    if (used >= 0 && (size_t)used < at->size)
        snprintf(at->message + used, at->size - (size_t)used, "; try nsh --help");
    return -1;
}

/* "-qe CODE", "-eCODE": flags, then at most one option that takes the rest or the next word. */
static int parse_letters(struct cursor *at, const char *word, struct settings *out) {
    for (const char *letter = word + 1; *letter; letter++) {
        const struct option *option = find_letter(*letter);
        if (!option)
            return complain(at, "unknown option -%.*s", letter, 1);
        if (!option->argument) {
            store(out, option, NULL);
            continue;
        }
        const char *text = letter[1] ? letter + 1 : *at->next ? *at->next++ : NULL;
        if (!text)
            return complain(at, "option -%.*s needs an argument", letter, 1);
        store(out, option, text);
        break;
    }
    return 0;
}

/* "--run CMD", "--run=CMD", "--help". */
static int parse_name(struct cursor *at, const char *word, struct settings *out) {
    size_t length = strcspn(word + 2, "=");
    const char *value = word[2 + length] ? word + 3 + length : NULL;
    const struct option *option = find_name(word + 2, length);
    if (!option)
        return complain(at, "unknown option %.*s", word, (int)length + 2);
    if (!option->argument && value)
        return complain(at, "option %.*s takes no argument", word, (int)length + 2);
    if (option->argument && !value && !(value = *at->next ? *at->next++ : NULL))
        return complain(at, "option %.*s needs an argument", word, (int)length + 2);
    store(out, option, value);
    return 0;
}

static bool is_option(const char *word) {
    return word && word[0] == '-' && word[1];
}

int parse_options(int argc, char **argv, struct settings *out, char *message, size_t size) {
    struct cursor at = { argv + (argc > 0), message, size };
    memset(out, 0, sizeof *out);
    out->steps = calloc((size_t)argc + 1, sizeof *out->steps);
    if (!out->steps) {
        snprintf(message, size, "no memory");
        return -1;
    }
    while (is_option(*at.next)) {
        const char *word = *at.next++;
        if (!strcmp(word, "--"))
            break;
        if ((word[1] == '-' ? parse_name : parse_letters)(&at, word, out) < 0)
            return -1;
    }
    out->script = *at.next;
    out->script_index = *at.next ? (int)(at.next - argv) : 0;
    return 0;
}

void print_help(void) {
    printf(
        "usage: nsh [options] [script [args]]\n"
        "A scriptable shell for Linux network namespaces. Without a script: a REPL, or the script "
        "that is piped in.\n\n");
    for (const struct option *option = options; option < options + OPTION_COUNT; option++) {
        char left[32];
        snprintf(left, sizeof left, "%c%c%s %s%s%s%s", option->letter ? '-' : ' ',
                 option->letter ? option->letter : ' ', option->letter && option->name ? "," : "",
                 option->name ? "--" : "", option->name ? option->name : "",
                 option->name && option->argument ? " " : "",
                 option->argument ? option->argument : "");
        printf("  %-16s %s\n", left, option->help);
    }
    printf("  %-16s %s\n  %-16s %s\n", "-", "the script is standard input", "--",
           "end of the options");
}
