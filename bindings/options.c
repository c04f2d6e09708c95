#include "options.h"

#include <limits.h>
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
    { 0, "internet", NULL, FLAG, FIELD(internet),
      "run in a sandbox that reaches the real network, by pasta (package passt)" },
    { 'n', NULL, NULL, FLAG, FIELD(plan),
      "print the steps of the first lab that goes up, and change nothing" },
    { 'x', NULL, NULL, FLAG, FIELD(trace),
      "print each change as the ip command that does the same" },
    { 'j', NULL, NULL, FLAG, FIELD(json), "print values as JSON" },
    { 0, "draw", "FILE", TEXT, FIELD(draw),
      "draw what the script has built: by FILE's ending, or as text for -" },
    { 0, "run", "CMD", TEXT, FIELD(run),
      "run shell command CMD after the script; exit with its status" },
    { 0, "keep", NULL, FLAG, FIELD(keep),
      "leave the lab up at the end; nsh enter and nsh down find it" },
    { 'E', NULL, NULL, FLAG, FIELD(no_init), "do not read the REPL's init file" },
    { 'q', NULL, NULL, FLAG, FIELD(quiet), "no banner" },
    { 'v', NULL, NULL, FLAG, FIELD(verbose), "print a traceback with every error" },
    { 'h', "help", NULL, FLAG, FIELD(help), "print this help" },
    { 0, "version", NULL, FLAG, FIELD(version), "print the version" },
};

enum { OPTION_COUNT = sizeof options / sizeof *options };

static const struct {
    const char *name, *usage, *help;
} commands[] = {
    [COMMAND_LIST] = { "list", "list [-j]", "the labs that are up" },
    [COMMAND_DOWN] = { "down", "down LAB", "end a lab, wherever it runs" },
    [COMMAND_ENTER] = { "enter", "enter [LAB/]NODE [COMMAND...]",
                        "run a shell or a command in a node" },
    [COMMAND_COMPLETION] = { "completion", "completion bash|zsh",
                             "print what makes Tab complete all this in that shell" },
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

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

static bool has_text(const struct settings *out, const struct option *option) {
    return option->kind == TEXT && *(char *const *)((const char *)out + option->field);
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
    if (has_text(out, option))
        return complain(at, "option %.*s may be given once", word, (int)length + 2);
    store(out, option, value);
    return 0;
}

static bool is_option(const char *word) {
    return word && word[0] == '-' && word[1];
}

static enum command find_command(const char *word) {
    for (size_t i = COMMAND_NONE + 1; word && i < COMMAND_COUNT; i++)
        if (!strcmp(commands[i].name, word))
            return (enum command)i;
    return COMMAND_NONE;
}

static int parse_word(struct cursor *at, struct settings *out) {
    const char *word = *at->next++;
    return (word[1] == '-' ? parse_name : parse_letters)(at, word, out);
}

/* What is left: a script or a command, and what belongs to it. */
static int parse_rest(struct cursor *at, char **argv, bool script_only, struct settings *out) {
    const char *word = *at->next;
    out->script = word;
    out->script_index = word ? (int)(at->next - argv) : 0;
    out->command = script_only ? COMMAND_NONE : find_command(word);
    for (char **option = argv + 1; out->command && option < at->next; option++)
        if (strcmp(*option, "-j") != 0)
            return complain(at, "nsh %.*s takes no option before it but -j", word, INT_MAX);
    return 0;
}

int parse_options(int argc, char **argv, struct settings *out, char *message, size_t size) {
    struct cursor at = { argv + (argc > 0), message, size };
    bool script_only = false;
    memset(out, 0, sizeof *out);
    out->steps = calloc((size_t)argc + 1, sizeof *out->steps);
    if (!out->steps) {
        snprintf(message, size, "no memory");
        return -1;
    }
    while (is_option(*at.next) && !script_only) {
        script_only = !strcmp(*at.next, "--");
        if (script_only)
            at.next++;
        else if (parse_word(&at, out) < 0)
            return -1;
    }
    return parse_rest(&at, argv, script_only, out);
}

static void print_commands(void) {
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
        printf("  %-33s %s\n", commands[i].usage, commands[i].help);
}

void print_options(void) {
    for (const struct option *option = options; option < options + OPTION_COUNT; option++)
        printf("%c\t%s\t%s\t%s\n", option->letter ? option->letter : '.',
               option->name ? option->name : ".", option->argument ? option->argument : ".",
               option->help);
}

void print_command_names(void) {
    for (size_t i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
        puts(commands[i].name);
}

void print_help(void) {
    printf(
        "usage: nsh [options] [script [args]]\n"
        "       nsh COMMAND\n"
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
    printf("  %-16s %s\n  %-16s %s\n\n", "-", "the script is standard input", "--",
           "end of the options");
    printf("Commands, for labs that run in other terminals or were kept:\n");
    print_commands();
}
