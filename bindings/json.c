/* core.json: values as JSON text. Nothing here reads it. */
#include "../core/json_text.h"
#include "nsh.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST "nsh.list"

enum { DEPTH_MAX = 100 };
enum { TEXT = 3, MEMBERS = 4 }; /* stack indices of what grows */

/* A key: Lua's string, without the underscore that frees a reserved word, or a number's digits. */
struct member {
    const char *key; /* NULL for a number */
    size_t length, key_length;
    lua_Integer number;
    char digits[24];
};

/* All memory is Lua's, so that an error anywhere leaves nothing behind. */
struct writer {
    lua_State *L;
    struct json_out out; /* adds to the text */
    char *text;
    size_t used, room;
    int indent;             /* spaces a level, -1: all on one line */
    struct member *members; /* of the tables that we are in, one behind the other */
    size_t member_count, member_room;
    int depth;
    int tables[DEPTH_MAX]; /* stack indices of the tables that we are in */
    char path[160];        /* where an error is: ".links[3]", grows to the left */
    char problem[64];
};

/* --- text ------------------------------------------------------------------------------------- */

static void add(void *arg, const char *bytes, size_t size) {
    struct writer *out = arg;
    if (size > out->room - out->used) {
        size_t room = 2 * out->room + size;
        char *text = lua_newuserdatauv(out->L, room, 0);
        memcpy(text, out->text, out->used);
        lua_replace(out->L, TEXT);
        out->text = text;
        out->room = room;
    }
    memcpy(out->text + out->used, bytes, size);
    out->used += size;
}

static void add_text(struct writer *out, const char *text) {
    add(out, text, strlen(text));
}

static void add_line_break(struct writer *out) {
    if (out->indent < 0)
        return;
    add_text(out, "\n");
    for (int i = 0; i < out->indent * out->depth; i++)
        add_text(out, " ");
}

/* --- errors ----------------------------------------------------------------------------------- */

static int refuse(struct writer *out, const char *problem) {
    snprintf(out->problem, sizeof out->problem, "%s", problem);
    return -1;
}

/* Puts a step before the path on the way out of the tables; "..." stands for those that had no
   room. */
static int refuse_in(struct writer *out, const char *step) {
    static const char more[] = "...";
    size_t used = strlen(out->path) + 1;
    if (!strncmp(out->path, more, strlen(more)))
        return -1;
    if (used + strlen(step) + strlen(more) > sizeof out->path)
        step = more;
    memmove(out->path + strlen(step), out->path, used);
    memcpy(out->path, step, strlen(step));
    return -1;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static int add_number(struct writer *out) {
    if (lua_isinteger(out->L, -1))
        json_integer(&out->out, lua_tointeger(out->L, -1));
    else if (isfinite(lua_tonumber(out->L, -1)))
        json_real(&out->out, lua_tonumber(out->L, -1));
    else
        return refuse(out, "is not a finite number");
    return 0;
}

/* --- tables ----------------------------------------------------------------------------------- */

static int add_value(struct writer *out);

/* Whether the keys of the table on top are exactly 1 to *count. */
static bool is_sequence(lua_State *L, lua_Integer *count) {
    lua_Integer length = (lua_Integer)lua_rawlen(L, -1), seen = 0;
    *count = length;
    for (lua_pushnil(L); lua_next(L, -2); seen++) {
        lua_pop(L, 1);
        lua_Integer key = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
        if (key < 1 || key > length) {
            lua_pop(L, 1);
            return false;
        }
    }
    return seen == length;
}

static bool is_marked_list(lua_State *L) {
    if (luaL_getmetafield(L, -1, "__jsontype") == LUA_TNIL)
        return false;
    bool marked = lua_type(L, -1) == LUA_TSTRING && !strcmp(lua_tostring(L, -1), "array");
    lua_pop(L, 1);
    return marked;
}

static int add_list(struct writer *out, lua_Integer count) {
    add_text(out, "[");
    out->depth++;
    for (lua_Integer i = 1; i <= count; i++) {
        if (i > 1)
            add_text(out, ",");
        add_line_break(out);
        lua_rawgeti(out->L, -1, i);
        if (add_value(out) < 0) {
            char step[32];
            snprintf(step, sizeof step, "[%" PRId64 "]", (int64_t)i);
            return refuse_in(out, step);
        }
        lua_pop(out->L, 1);
    }
    out->depth--;
    if (count > 0)
        add_line_break(out);
    add_text(out, "]");
    return 0;
}

static const char *name_of(const struct member *member) {
    return member->key ? member->key : member->digits;
}

static int compare_members(const void *a, const void *b) {
    const struct member *left = a, *right = b;
    size_t common = left->length < right->length ? left->length : right->length;
    int order = memcmp(name_of(left), name_of(right), common);
    return order ? order : (left->length > right->length) - (left->length < right->length);
}

static bool is_reserved(const char *word, size_t length) {
    static const char *const words[] = {
        "and",      "break",  "do",   "else", "elseif", "end",   "false", "for",
        "function", "goto",   "if",   "in",   "local",  "nil",   "not",   "or",
        "repeat",   "return", "then", "true", "until",  "while",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && !memcmp(words[i], word, length))
            return true;
    return false;
}

/* The key is on top of the stack, its string anchored in the table. */
static int read_member(struct writer *out, struct member *member) {
    lua_State *L = out->L;
    *member = (struct member){ .key = NULL };
    if (lua_isinteger(L, -1)) {
        member->number = lua_tointeger(L, -1);
        member->length = (size_t)snprintf(member->digits, sizeof member->digits, LUA_INTEGER_FMT,
                                          (LUAI_UACINT)member->number);
        return 0;
    }
    if (lua_type(L, -1) != LUA_TSTRING)
        return refuse(out, "has a key that is neither a string nor an integer");
    member->key = lua_tolstring(L, -1, &member->key_length);
    size_t stem = member->key_length ? member->key_length - 1 : 0;
    bool freed = stem && member->key[stem] == '_' && is_reserved(member->key, stem);
    member->length = freed ? stem : member->key_length;
    return 0;
}

/* A new one at the end of all. */
static struct member *new_member(struct writer *out) {
    if (out->member_count == out->member_room) {
        size_t room = 2 * out->member_room;
        void *members = lua_newuserdatauv(out->L, room * sizeof *out->members, 0);
        memcpy(members, out->members, out->member_count * sizeof *out->members);
        lua_replace(out->L, MEMBERS);
        out->members = members;
        out->member_room = room;
    }
    return &out->members[out->member_count++];
}

/* Adds the members of the table on top, sorted. */
static int read_members(struct writer *out) {
    size_t first = out->member_count;
    for (lua_pushnil(out->L); lua_next(out->L, -2);) {
        lua_pop(out->L, 1);
        if (read_member(out, new_member(out)) < 0)
            return -1;
    }
    struct member *members = out->members + first;
    size_t count = out->member_count - first;
    qsort(members, count, sizeof *members, compare_members);
    for (size_t i = 1; i < count; i++)
        if (compare_members(&members[i - 1], &members[i]) == 0)
            return refuse(out, "has two keys that are one in JSON");
    return 0;
}

/* Of the table on top. */
static int add_member(struct writer *out, struct member member_copy) {
    const struct member *member = &member_copy; /* while others are added behind it */
    lua_State *L = out->L;
    add_line_break(out);
    json_string(&out->out, name_of(member), member->length);
    add_text(out, out->indent < 0 ? ":" : ": ");
    if (member->key) {
        lua_pushlstring(L, member->key, member->key_length);
        lua_rawget(L, -2);
    } else {
        lua_rawgeti(L, -1, member->number);
    }
    if (add_value(out) < 0) {
        char step[48];
        snprintf(step, sizeof step, member->key ? ".%.40s" : "[%.40s]", name_of(member));
        return refuse_in(out, step);
    }
    lua_pop(L, 1);
    return 0;
}

static int add_object(struct writer *out) {
    size_t first = out->member_count;
    if (read_members(out) < 0)
        return -1;
    size_t end = out->member_count;
    add_text(out, "{");
    out->depth++;
    for (size_t i = first; i < end; i++) {
        if (i > first)
            add_text(out, ",");
        if (add_member(out, out->members[i]) < 0)
            return -1;
    }
    out->member_count = first;
    out->depth--;
    if (end > first)
        add_line_break(out);
    add_text(out, "}");
    return 0;
}

static int add_table(struct writer *out) {
    lua_State *L = out->L;
    lua_Integer count;
    if (out->depth == DEPTH_MAX)
        return refuse(out, "is nested too deeply");
    luaL_checkstack(L, 8, NULL);
    for (int i = 0; i < out->depth; i++)
        if (lua_rawequal(L, out->tables[i], -1))
            return refuse(out, "contains itself");
    out->tables[out->depth] = lua_gettop(L);
    bool sequence = is_sequence(L, &count), marked = is_marked_list(L);
    if (marked && !sequence)
        return refuse(out, "is a list with holes or names in it");
    return sequence && (marked || count > 0) ? add_list(out, count) : add_object(out);
}

/* Writes the value on top of the stack, which stays. On error the stack is left as it is. */
static int add_value(struct writer *out) {
    lua_State *L = out->L;
    char problem[64];
    size_t length;
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
        add_text(out, "null");
        return 0;
    case LUA_TBOOLEAN:
        add_text(out, lua_toboolean(L, -1) ? "true" : "false");
        return 0;
    case LUA_TNUMBER:
        return add_number(out);
    case LUA_TSTRING: {
        const char *string = lua_tolstring(L, -1, &length);
        json_string(&out->out, string, length);
        return 0;
    }
    case LUA_TTABLE:
        return add_table(out);
    default:
        snprintf(problem, sizeof problem, "is a %s", luaL_typename(L, -1));
        return refuse(out, problem);
    }
}

/* --- for Lua ---------------------------------------------------------------------------------- */

static int read_indent(lua_State *L) {
    if (lua_isnoneornil(L, 2))
        return -1;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "indent");
    lua_Integer indent = luaL_optinteger(L, -1, -1);
    return indent > 16 ? 16 : (int)indent;
}

/* json.encode(value, [{ indent = spaces }]) -> text. A table is a list if its keys are 1 to n or it
   is marked as one (json.list); the members of others are sorted. */
static int json_encode(lua_State *L) {
    struct error err;
    luaL_checkany(L, 1);
    struct writer out = { .L = L, .indent = read_indent(L), .room = 4096, .member_room = 64 };
    out.out = (struct json_out){ add, &out };
    lua_settop(L, 2);
    out.text = lua_newuserdatauv(L, out.room, 0);
    out.members = lua_newuserdatauv(L, out.member_room * sizeof *out.members, 0);
    lua_pushvalue(L, 1);
    if (add_value(&out) < 0) {
        error_set(&err, EINVAL, "cannot be written as JSON: value%s %s", out.path, out.problem);
        return fail(L, &err);
    }
    lua_pushlstring(L, out.text, out.used);
    return 1;
}

void push_list_metatable(lua_State *L) {
    if (luaL_newmetatable(L, LIST)) {
        lua_pushliteral(L, "array");
        lua_setfield(L, -2, "__jsontype");
    }
}

/* json.list([table]) -> the table, or a new one, marked: it is a list also when it is empty. */
static int json_list(lua_State *L) {
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    push_list_metatable(L);
    lua_setmetatable(L, 1);
    return 1;
}

static const luaL_Reg functions[] = {
    { "encode", json_encode },
    { "list", json_list },
    { NULL, NULL },
};

int open_json(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
