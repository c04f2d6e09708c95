/* The two children between fork and exec, and what they tell the parent; private to process.c. */
#pragma once

#include "process.h"
#include "terminal.h"

enum report_kind { REPORT_PID, REPORT_WARNING, REPORT_ERROR };

/* Smaller than PIPE_BUF, so that two writers cannot mix theirs. */
struct report {
    enum report_kind kind;
    pid_t pid;        /* REPORT_PID: of the program, as the parent sees it */
    struct error err; /* else: what went wrong */
};

/* Runs in a forked child, all signals blocked: enters the guardian's PID namespace, forks the
   program there as a child of our parent, exits. Reports go to the descriptor, which closes at
   exec. */
_Noreturn void process_child(const struct process_spec *spec, const struct terminal *terminal,
                             int reports);
