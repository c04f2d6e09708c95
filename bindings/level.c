#include "level.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int refuse_key(struct level *level, const char *what, const char *key) {
    error_set(level->err, EINVAL, "%s", what);
    snprintf(level->err->key, sizeof level->err->key, "%s", key);
    return -1;
}

/* "peer" before "mtu": which nest a refused key is in. */
int prefix_key(struct error *err, const char *nest) {
    char key[sizeof err->key];
    snprintf(key, sizeof key, "%.22s%s%.40s", nest, err->key[0] ? " " : "", err->key);
    memcpy(err->key, key, sizeof key);
    return -1;
}

const char *key_of(const struct field *f) {
    return f->word ? f->word : f->name;
}

const char *said_key(const struct level *level, const struct field *f) {
    return level->w->by_name ? f->name : key_of(f);
}

static int encode_scalar(struct level *level, const struct field *f, int index) {
    struct value v;
    if (to_value(level->L, index, f, &v))
        return write_value(level->w, f, &v, level->err);
    if (f->flags & READ_ONLY && !message_lists(level->w->message))
        return 0;
    char what[80];
    snprintf(what, sizeof what, "a %s given, a plain value expected",
             luaL_typename(level->L, index));
    return refuse_key(level, what, said_key(level, f));
}

static int encode_numbers(struct level *level, const struct field *f, int index) {
    lua_State *L = level->L;
    struct value v;
    int result = 0;
    if (lua_rawlen(L, index) != f->bit) {
        char what[80];
        snprintf(what, sizeof what, "%llu numbers given, %u expected",
                 (unsigned long long)lua_rawlen(L, index), f->bit);
        return refuse_key(level, what, key_of(f));
    }
    for (uint32_t i = 0; result == 0 && i < f->bit; i++) {
        lua_rawgeti(L, index, i + 1);
        result = to_value(L, lua_gettop(L), f, &v)
                     ? write_element(level->w, f, i, &v, level->err)
                     : refuse_key(level, "a list of numbers expected", key_of(f));
        lua_pop(L, 1);
    }
    return result;
}

/* Of a new link an empty list is none. */
static int encode_list(struct level *level, const struct field *f, int index) {
    lua_State *L = level->L;
    struct writer inner;
    struct value v;
    int result = 0;
    bool is_list = lua_istable(L, index);
    lua_Integer count = is_list ? (lua_Integer)lua_rawlen(L, index) : 1;
    if (count == 0 && message_makes_new(level->w->message))
        return 0;
    if (begin_list(level->w, f, &inner, level->err) < 0)
        return -1;
    for (lua_Integer i = 1; result == 0 && i <= count; i++) {
        if (is_list)
            lua_rawgeti(L, index, i);
        else
            lua_pushvalue(L, index);
        result = to_value(L, lua_gettop(L), f, &v)
                     ? write_item(&inner, f, (size_t)i - 1, &v, level->err)
                     : refuse_key(level, "a list of plain values expected", f->name);
        lua_pop(L, 1);
    }
    return result < 0 ? -1 : end_list(level->w, f, &inner, level->err);
}

/* BITS take a word or a list of them, NUMBERS and LISTs a list. */
int encode_words(struct level *level, const struct field *f, int index) {
    lua_State *L = level->L;
    if (f->meaning == NUMBERS && lua_istable(L, index) && !(f->flags & READ_ONLY))
        return encode_numbers(level, f, index);
    if (f->meaning == LIST && !(f->flags & READ_ONLY) && !message_lists(level->w->message))
        return encode_list(level, f, index);
    if (!lua_istable(L, index) || (f->meaning != BITS && f->meaning != MATCHES))
        return encode_scalar(level, f, index);
    static const struct value none = { .type = VALUE_NUMBER };
    int result = 0;
    if (f->flags & MASKED && lua_rawlen(L, index) == 0)
        return write_value(level->w, f, &none, level->err);
    for (lua_Integer i = 1; result == 0 && lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
        result = encode_scalar(level, f, lua_gettop(L));
        lua_pop(L, 1);
    }
    if (result == 0)
        lua_pop(L, 1);
    return result;
}
