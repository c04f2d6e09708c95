#include "sysctl_hold.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cleanup.h"
#include "guardian.h"
#include "sysctl.h"
#include "sysctl_drag.h"
#include "sysctl_ledger.h"

/* As it is while we have the lock. Too large for a stack; the guardian has its own. */
static struct ledger ledger;

/* What the guardian runs as well, also in the other sysctl_*.c, uses neither malloc nor stdio, nor
   asks for the words of an error. */
static void copy(char *to, const char *text) {
    memcpy(to, text, strlen(text) + 1);
}

/* --- values ----------------------------------------------------------------------------------- */

static int open_parameter(const char *name, int flags) {
    char path[SYSCTL_NAME_MAX + 16] = "/proc/sys/";
    copy(path + strlen(path), name);
    return open(path, flags | O_CLOEXEC);
}

/* -1 also for what could not be written back: longer than our file holds. */
static int read_value(const char *name, char value[SYSCTL_VALUE_MAX]) {
    cleanup_fd int fd = open_parameter(name, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, value, SYSCTL_VALUE_MAX);
    if (size < 0 || size == SYSCTL_VALUE_MAX)
        return -1;
    if (size > 0 && value[size - 1] == '\n')
        size--;
    value[size] = '\0';
    return 0;
}

/* With a newline, without which an empty value would be no write at all. */
static int write_value(const char *name, const char *value) {
    char line[SYSCTL_VALUE_MAX + 1];
    size_t size = (size_t)((char *)mempcpy(line, value, strlen(value)) - line);
    cleanup_fd int fd = open_parameter(name, O_WRONLY);
    line[size] = '\n';
    return fd < 0 || write(fd, line, size + 1) < 0 ? -1 : 0;
}

/* The kernel puts tabs between the numbers of a list, people write blanks. */
static bool is_same(const char *a, const char *b) {
    for (;;) {
        a += strspn(a, " \t"), b += strspn(b, " \t");
        size_t size = strcspn(a, " \t");
        if (size != strcspn(b, " \t") || memcmp(a, b, size) != 0)
            return false;
        if (size == 0)
            return true;
        a += size, b += size;
    }
}

/* Only what differs: to write the value that is there also changes things (on an interface it is
   then no longer changed with the default). */
static void set(const char *name, const char *value) {
    char now[SYSCTL_VALUE_MAX];
    if (value && read_value(name, now) == 0 && !is_same(now, value))
        write_value(name, value); /* gone together with its interface, or no longer writable */
}

/* --- what there is to know about a parameter -------------------------------------------------- */

static const struct hold *holder_of(const char *name) {
    for (uint32_t i = ledger.hold_count; i-- > 0;)
        if (!strcmp(ledger.holds[i].name, name))
            return &ledger.holds[i];
    return NULL;
}

static const char *origin_of(const char *name) {
    for (uint32_t i = 0; i < ledger.origin_count; i++)
        if (!strcmp(ledger.origins[i].name, name))
            return ledger.origins[i].value;
    return NULL;
}

/* The value that a held parameter gives to one that it drags along; NULL if there is none. */
static const char *dragged_value(const char *name) {
    enum drag_value value;
    for (uint32_t i = ledger.hold_count; i-- > 0;) {
        const struct hold *hold = &ledger.holds[i];
        if (drag_finds(hold->name, name, &value) && value != DRAG_OWN)
            return value == DRAG_SAME ? hold->value : is_same(hold->value, "0") ? "1" : "0";
    }
    return NULL;
}

/* What a parameter should have now. */
static const char *value_for(const char *name) {
    const struct hold *holder = holder_of(name);
    const char *dragged = holder ? holder->value : dragged_value(name);
    return dragged ? dragged : origin_of(name);
}

/* Of an interface that came after the holder and has the holder's value: what it would have had
   without. NULL if nothing of that is so. */
static const char *missed_default(const char *name, const char *now) {
    char source[SYSCTL_NAME_MAX];
    for (uint32_t i = 0; i < ledger.hold_count; i++)
        if (drag_default(ledger.holds[i].name, name, source) && is_same(ledger.holds[i].value, now))
            return origin_of(source);
    return NULL;
}

/* --- the list --------------------------------------------------------------------------------- */

static void remember(const char *name) {
    char now[SYSCTL_VALUE_MAX];
    if (ledger.origin_count == ORIGINS_MAX || origin_of(name) || read_value(name, now) < 0)
        return;
    const char *missed = missed_default(name, now);
    struct origin *origin = &ledger.origins[ledger.origin_count++];
    copy(origin->name, name);
    copy(origin->value, missed ? missed : now);
}

static bool concerns(const char *held, const char *name) {
    enum drag_value value;
    return !strcmp(held, name) || drag_finds(held, name, &value);
}

static bool is_needed(const struct origin *origin) {
    for (uint32_t i = 0; i < ledger.hold_count; i++)
        if (concerns(ledger.holds[i].name, origin->name))
            return true;
    return false;
}

/* What was remembered for a holder of `name`, and for nobody else. */
static void forget(const char *name) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ledger.origin_count; i++)
        if (!concerns(name, ledger.origins[i].name) || is_needed(&ledger.origins[i]))
            ledger.origins[kept++] = ledger.origins[i];
    ledger.origin_count = kept;
}

static void keep_held(const char *name) {
    const struct hold *holder = holder_of(name);
    set(name, holder ? holder->value : NULL);
}

static void put_back(const char *name) {
    set(name, value_for(name));
}

/* The parameter itself first: that drags the others. */
static void drop(uint32_t index) {
    char name[SYSCTL_NAME_MAX];
    memcpy(name, ledger.holds[index].name, sizeof name);
    drag_each(name, remember); /* the interfaces that came meanwhile */
    memmove(&ledger.holds[index], &ledger.holds[index + 1],
            (--ledger.hold_count - index) * sizeof *ledger.holds);
    put_back(name);
    drag_each(name, holder_of(name) ? keep_held : put_back);
    forget(name);
}

static void drop_dead(int fd, uint64_t self) {
    for (uint32_t i = ledger.hold_count; i-- > 0;)
        if (ledger.holds[i].process != self && !ledger_is_alive(fd, ledger.holds[i].process))
            drop(i);
}

/* --- release ---------------------------------------------------------------------------------- */

/* The list is written last: whoever is killed before leaves it to the next, who does all of it
   again. */
void sysctl_release(const char *folder, const struct sysctl_token *at) {
    struct sysctl_token token;
    memcpy(&token, at, sizeof token);
    cleanup_fd int fd = ledger_open(&ledger, folder, false, NULL);
    if (fd < 0)
        return;
    for (uint32_t i = ledger.hold_count; i-- > 0;)
        if (ledger.holds[i].id == token.id)
            drop(i);
    drop_dead(fd, token.process);
    ledger_save(&ledger, fd, folder, NULL);
}

/* --- hold ------------------------------------------------------------------------------------- */

static int check_others(const struct hold *new, struct error *err) {
    for (uint32_t i = 0; i < ledger.hold_count; i++) {
        const struct hold *hold = &ledger.holds[i];
        bool other = hold->process != new->process || strcmp(hold->who, new->who) != 0;
        if (other && !strcmp(hold->name, new->name) && !is_same(hold->value, new->value))
            return error_set(err, EBUSY, "%s holds it at %.60s", hold->who, hold->value);
    }
    return 0;
}

/* The list is written first: from then on it can be put back, also by others. */
static int take(const struct hold *new, int fd, const char *folder, struct error *err) {
    if (check_others(new, err) < 0)
        return -1;
    remember(new->name);
    drag_each(new->name, remember);
    if (ledger.hold_count == HOLDS_MAX || ledger.origin_count == ORIGINS_MAX)
        return error_set(err, ENOSPC, "too many parameters are held");
    ledger.holds[ledger.hold_count++] = *new;
    if (ledger_save(&ledger, fd, folder, err) < 0 ||
        sysctl_write(-1, new->name, new->value, err) < 0) {
        drop(ledger.hold_count - 1);
        return -1;
    }
    drag_each(new->name, keep_held);
    return 0;
}

/* Returns what shows that we are alive. */
static int hold_in(const char *folder, const struct hold *new, struct error *err) {
    cleanup_fd int fd = ledger_open(&ledger, folder, true, err);
    if (fd < 0)
        return -1;
    int signature = ledger_sign(fd, folder, new->process, err);
    if (signature >= 0) {
        drop_dead(fd, new->process);
        if (take(new, fd, folder, err) == 0)
            return signature;
    }
    forget(new->name);
    ledger_save(&ledger, fd, folder, NULL); /* the dead are gone, or the folder was for nothing */
    return -1;
}

/* --- from outside ----------------------------------------------------------------------------- */

static int set_name(struct hold *new, const char *key, struct error *err) {
    char path[PATH_MAX];
    static const char root[] = "/proc/sys/";
    if (sysctl_path(key, path, err) < 0)
        return -1;
    const char *name = path + sizeof root - 1;
    if (strncmp(name, "net/", 4) != 0)
        return error_set(err, EINVAL,
                         "it belongs to no network namespace: it does not begin with net");
    if (strlen(name) >= sizeof new->name)
        return error_errno(err, ENAMETOOLONG);
    copy(new->name, drag_canonical(name));
    return 0;
}

static int set_value(struct hold *new, const char *value, struct error *err) {
    if (strlen(value) >= sizeof new->value)
        return error_errno(err, ENAMETOOLONG);
    if (strchr(value, '\n'))
        return error_set(err, EINVAL, "the value has more than one line");
    copy(new->value, value);
    return 0;
}

/* Names are anybody's: only what can stand in a line. */
static void set_who(struct hold *new, const char *name) {
    snprintf(new->who, sizeof new->who, "%s%.64s (pid %d)", name ? "lab " : "nsh", name ? name : "",
             (int)getpid());
    for (char *at = new->who; *at; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
}

/* What cannot be read could not be put back. */
static int check_readable(const char *key, struct error *err) {
    char value[SYSCTL_VALUE_MAX];
    if (sysctl_read(-1, key, value, sizeof value, err) == 0)
        return 0;
    if (err->code == EIO)
        error_hint(err, "it has no value yet that could be put back");
    return -1;
}

/* The guardian is told nothing while the lock is held, for which it may be waiting. */
int sysctl_hold(uint32_t lab, const char *name, const char *key, const char *value,
                struct error *err) {
    char folder[LEDGER_PATH_MAX];
    struct hold new = { .process = ledger_process() };
    if (set_name(&new, key, err) < 0 || set_value(&new, value, err) < 0 ||
        check_readable(key, err) < 0)
        return -1;
    set_who(&new, name);
    ledger_folder(folder);
    if (getrandom(&new.id, sizeof new.id, 0) != sizeof new.id)
        return error_errno(err, errno);
    struct sysctl_token token = { new.id, new.process };
    if (guardian_undo_sysctl(lab, folder, &token, err) < 0)
        return -1;
    int signature = hold_in(folder, &new, err);
    return signature < 0 ? -1 : guardian_lend(signature, err);
}
