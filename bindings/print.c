/* Lists as JSON, from the kernel's messages to standard output, with no table of Lua's between. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/json_text.h"
#include "request.h"

/* --- a record as it is walked ----------------------------------------------------------------- */

struct printer {
    struct json_out out;
    bool behind; /* something stands before in the same list or object */
};

static void put(void *file, const char *bytes, size_t size) {
    fwrite_unlocked(bytes, 1, size, file);
}

static void add(struct printer *p, const char *text) {
    p->out.add(p->out.arg, text, strlen(text));
}

/* What stands before a value: a comma, and the name if it has one. */
static void begin(struct printer *p, const struct field *f) {
    if (p->behind)
        add(p, ",");
    if (f) {
        add(p, "\"");
        add(p, f->name);
        add(p, "\":");
    }
    p->behind = true;
}

static void print_value(void *arg, const struct field *f, const struct value *v) {
    struct printer *p = arg;
    begin(p, f);
    if (v->type == VALUE_TEXT)
        json_string(&p->out, v->text, v->length);
    else if (v->type == VALUE_BOOL)
        add(p, v->number ? "true" : "false");
    else if (v->type == VALUE_REAL)
        json_real(&p->out, v->real);
    else
        json_integer(&p->out, v->number);
}

static void print_open(void *arg, const struct field *f, bool list) {
    struct printer *p = arg;
    begin(p, f);
    add(p, list ? "[" : "{");
    p->behind = false;
}

static void print_close(void *arg, const struct field *f, bool list) {
    struct printer *p = arg;
    (void)f;
    add(p, list ? "]" : "}");
    p->behind = true;
}

static void print_message(struct printer *p, const struct nlmsghdr *nlh, const struct netlink *nl) {
    static const struct sink sink = { print_value, print_open, print_close };
    struct records records = { message.object, nlh, nl };
    while (records_next(&records))
        if (request_lists(&records.reader)) {
            print_open(p, NULL, false);
            schema_read(&records.reader, &sink, p);
            print_close(p, NULL, false);
        }
}

/* --- a list ----------------------------------------------------------------------------------- */

/* All of them before the first is printed: a dump that the kernel calls inconsistent is begun anew.
 */
static int collect(struct netlink *nl, struct messages *all, struct error *err) {
    struct nlmsghdr *nlh;
    int more;
    all->used = all->count = 0;
    if (request_dump(nl, err) < 0)
        return -1;
    while ((more = netlink_next(nl, &nlh, err)) > 0)
        if (message_tells(nlh, message.object, nl) && !messages_add(all, nlh))
            return error_errno(err, ENOMEM);
    return more;
}

static void print_all(struct netlink *nl, const struct messages *all) {
    struct interfaces known = { 0 };
    struct printer p = { .out = { put, stdout } };
    nl->known = &known;
    print_open(&p, NULL, true);
    for (size_t at = 0; at < all->used;) {
        const struct nlmsghdr *nlh = (const void *)(all->bytes + at);
        print_message(&p, nlh, nl);
        at += MNL_ALIGN(nlh->nlmsg_len);
    }
    print_close(&p, NULL, true);
    add(&p, "\n");
    nl->known = NULL;
    interfaces_free(&known);
}

static int print(struct netlink *nl, struct error *err) {
    struct messages all = { 0 };
    int result, tries = NETLINK_TRIES;
    do
        result = collect(nl, &all, err);
    while (result < 0 && err->code == EAGAIN && --tries);
    errno = 0;
    if (result == 0)
        print_all(nl, &all);
    if (result == 0 && ferror(stdout))
        result = error_errno(err, errno ? errno : EIO);
    free(all.bytes);
    return result;
}

/* print(socket, object, "list", args) -> true | nil, err: the list as one line of JSON */
static int nl_print(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, NETLINK_TYPE);
    struct error err;
    if (request_write(L, 2, &s->nl, NULL, &err) < 0)
        return fail(L, &err);
    int result = print(&s->nl, &err);
    request_finish(NULL, 0, NULL);
    if (result < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

void add_print(lua_State *L) {
    static const luaL_Reg methods[] = { { "print", nl_print }, { NULL, NULL } };
    luaL_getmetatable(L, NETLINK_TYPE);
    lua_getfield(L, -1, "__index");
    luaL_setfuncs(L, methods, 0);
    lua_pop(L, 2);
}
