/* Numbers into attributes and fields, also those that are written in other ways. */
#include <errno.h>
#include <grp.h>
#include <linux/pkt_sched.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../address.h"
#include "names.h"
#include "u32.h"
#include "unit.h"
#include "write.h"

/* --- where they stand ------------------------------------------------------------------------- */

/* Where a number goes: into the fixed struct, into a struct that is an attribute, or NULL for an
   attribute of its own. */
static int find_place(struct writer *w, const struct field *f, char **place, struct error *err) {
    static const char zeros[64], ones[64] = { [0 ... 63] = (char)0xff };
    if (!f->attr) {
        *place = w->header + f->offset;
        return 0;
    }
    *place = NULL;
    struct nlattr *attr = writer_find(w, f->attr);
    if (!attr && f->size) {
        const char *fill = f->flags & FOREVER ? ones : zeros;
        if (write_attribute(w, f->attr, fill, f->size, err) < 0)
            return -1;
        attr = writer_find(w, f->attr);
    }
    if (attr)
        *place = (char *)mnl_attr_get_payload(attr) + f->offset;
    return 0;
}

bool is_zero_anyway(const struct writer *w, const struct field *f, int64_t number) {
    return f->flags & STARTS_ZERO && number == 0 && message_makes_new(w->message);
}

int put_number(struct writer *w, const struct field *f, int64_t number, struct error *err) {
    char *place, alone[8];
    if (f->meaning == QUANTITY && f->wide && number > UINT32_MAX) {
        if (write_attribute(w, f->wide, &number, sizeof number, err) < 0)
            return -1;
        number = UINT32_MAX;
    }
    if (find_place(w, f, &place, err) < 0)
        return -1;
    if (place) {
        wire_store(place, f->wire, number);
        return 0;
    }
    wire_store(alone, f->wire, number);
    return write_attribute(w, f->attr, alone, wires[f->wire].size, err);
}

int64_t get_number(struct writer *w, const struct field *f) {
    char *place;
    return find_place(w, f, &place, NULL) == 0 && place ? wire_load(place, f->wire) : 0;
}

bool parse_integer(const char *text, int base, int64_t *number) {
    char *end;
    errno = 0;
    *number = strtoll(text, &end, base);
    return *text && !*end && !errno && strchr("+-0123456789", *text);
}

int in_range(const struct field *f, int64_t number, struct error *err) {
    bool own = f->min || f->max;
    int64_t min = own ? f->min : wires[f->wire].min, max = own ? f->max : wires[f->wire].max;
    if (number >= min && number <= max)
        return 0;
    return error_set(err, ERANGE, "%lld is out of range: %lld to %lld", (long long)number,
                     (long long)min, (long long)max);
}

/* What was given, for a message. */
const char *shown(const struct value *value, char text[80]) {
    if (value->type == VALUE_BOOL)
        return value->number ? "true" : "false";
    if (value->type == VALUE_TEXT)
        snprintf(text, 80, "\"%s\"", SHORT(value->text));
    else if (value->type == VALUE_NUMBER)
        snprintf(text, 80, "%lld", (long long)value->number);
    else if (value->type == VALUE_REAL)
        snprintf(text, 80, "%g", value->real);
    else
        return "a namespace";
    return text;
}

int refuse(const struct value *value, const char *valid, struct error *err) {
    char text[80];
    return error_set(err, EINVAL, "%s given, %s expected", shown(value, text), valid);
}

static const struct word *numbers_word(const struct field *f, const struct value *v) {
    if (v->type != VALUE_TEXT || (f->meaning != NUMBER && f->meaning != HEX))
        return NULL;
    const struct word *word = f->of;
    while (word && word->name && strcmp(word->name, v->text))
        word++;
    return word && word->name ? word : NULL;
}

static int refuse_number(const struct field *f, const struct value *v, struct error *err) {
    char valid[80] = "an integer";
    const struct word *word = f->meaning == NUMBER || f->meaning == HEX ? f->of : NULL;
    if (f->meaning == QUAD)
        return refuse(v, "an integer or four of them such as \"10.0.0.1\"", err);
    if (word)
        snprintf(valid, sizeof valid, "an integer or \"%s\"", word->name);
    return refuse(v, valid, err);
}

int to_number(const struct field *f, const struct value *v, int64_t *number, struct error *err) {
    const struct word *word = numbers_word(f, v);
    int base = f->meaning == HEX && !(f->flags & UNLESS) ? (int)f->bit
               : f->meaning == PIECE                     ? 16
                                                         : 0;
    *number = v->number;
    if (v->type == VALUE_TEXT && f->flags & FOREVER && !strcmp(v->text, "forever"))
        *number = UINT32_MAX;
    else if (word)
        *number = word->value;
    else if (!(v->type == VALUE_NUMBER ||
               (v->type == VALUE_TEXT && parse_integer(v->text, base, number))))
        return refuse_number(f, v, err);
    return in_range(f, *number, err);
}

int write_number(struct writer *w, const struct field *f, const struct value *v,
                 struct error *err) {
    int64_t number;
    if (to_number(f, v, &number, err) < 0)
        return -1;
    return is_zero_anyway(w, f, number) ? 0 : put_number(w, f, number, err);
}

/* --- numbers in other words ------------------------------------------------------------------- */

int write_quantity(struct writer *w, const struct field *f, const struct value *v,
                   struct error *err) {
    const struct unit *unit = f->of;
    int64_t max = f->max ? f->max : f->wide || f->wire == U64 ? QUANTITY_MAX : wires[f->wire].max;
    double number;
    char text[80], most[UNIT_TEXT];
    if (!unit_parse(unit, v, &number))
        return refuse(v, unit->expected, err);
    if (number >= 0 && rint(number) <= (double)max)
        return put_number(w, f, f->flags & INVERTED ? max - llrint(number) : llrint(number), err);
    unit_say(unit, max, most);
    return error_set(err, ERANGE, "%s is out of range: 0 to %s", shown(v, text), most);
}

/* Rounded up, as tc does. */
int write_power(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    int64_t number;
    int exponent = 0;
    if (to_number(f, v, &number, err) < 0)
        return -1;
    while (INT64_C(1) << exponent < number)
        exponent++;
    return put_number(w, f, exponent, err);
}

int write_weight(struct writer *w, const struct field *f, const struct value *v,
                 struct error *err) {
    int64_t number;
    return to_number(f, v, &number, err) < 0 ? -1 : put_number(w, f, number - 1, err);
}

/* The number of a realm. -1 if that is none. */
static int64_t find_realm(const struct field *f, const char *name) {
    int64_t number;
    for (const struct word *word = load_names((struct names *)f->of); word->name; word++)
        if (!strcmp(word->name, name))
            return word->value;
    return parse_integer(name, 0, &number) && number >= 0 && number <= UINT16_MAX ? number : -1;
}

/* ip/iproute.c, get_rt_realms_or_raw: the one they come from is the upper half. */
int write_realms(struct writer *w, const struct field *f, const struct value *v,
                 struct error *err) {
    static const char valid[] = "realms such as \"1/2\"";
    char text[80];
    int64_t from = 0, to = v->type == VALUE_NUMBER && v->number <= UINT16_MAX ? v->number : -1;
    if (v->type == VALUE_TEXT) {
        snprintf(text, sizeof text, "%s", v->text);
        char *slash = strchr(text, '/');
        if (slash)
            *slash = 0;
        from = slash ? find_realm(f, text) : 0;
        to = find_realm(f, slash ? slash + 1 : text);
    }
    return from < 0 || to < 0 ? refuse(v, valid, err) : put_number(w, f, from << 16 | to, err);
}

/* One of the two numbers in a text of that length. */
static int put_half(struct writer *w, const struct field *f, const struct field *row,
                    const char *text, int length, const struct value *v, struct error *err) {
    char half[24];
    int64_t number;
    if (snprintf(half, sizeof half, "%.*s", length, text) >= (int)sizeof half ||
        !parse_integer(half, 0, &number))
        return refuse(v, "an integer, or two", err);
    return in_range(f, number, err) < 0 ? -1 : put_number(w, row, number, err);
}

/* Without a second one, that is the same, or there is none. */
int write_pair(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    const struct field second = pair_second(f);
    const char *mark = v->type == VALUE_TEXT ? strstr(v->text, f->of) : NULL;
    int64_t number;
    if (mark) {
        const char *rest = mark + strlen(f->of);
        return put_half(w, f, f, v->text, (int)(mark - v->text), v, err) < 0
                   ? -1
                   : put_half(w, f, &second, rest, (int)strlen(rest), v, err);
    }
    if (to_number(f, v, &number, err) < 0 || put_number(w, f, number, err) < 0)
        return -1;
    return f->wide ? 0 : put_number(w, &second, number, err);
}

int write_quad(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    struct address quad;
    int64_t number;
    if (v->type == VALUE_TEXT && address_parse(v->text, AF_INET, &quad, NULL) == 0)
        number = wire_load(quad.bytes, BE32);
    else if (to_number(f, v, &number, err) < 0)
        return -1;
    if (put_number(w, f, number, err) < 0 || !f->wide)
        return f->wide ? -1 : 0;
    struct field same = *f;
    same.attr = f->wide;
    return put_number(w, &same, number, err);
}

static bool find_account(const char *name, bool is_group, int64_t *number) {
    const struct group *group = is_group ? getgrnam(name) : NULL;
    const struct passwd *user = is_group ? NULL : getpwnam(name);
    *number = group ? group->gr_gid : user ? user->pw_uid : 0;
    return group || user;
}

int write_account(struct writer *w, const struct field *f, const struct value *v,
                  struct error *err) {
    const bool is_group = f->bit == ACCOUNT_GROUP;
    int64_t number = v->number;
    bool known = v->type == VALUE_NUMBER ||
                 (v->type == VALUE_TEXT && (parse_integer(v->text, 10, &number) ||
                                            find_account(v->text, is_group, &number)));
    if (!known)
        return refuse(v, is_group ? "a group of this machine" : "a user of this machine", err);
    return in_range(f, number, err) < 0 ? -1 : put_number(w, f, number, err);
}

int write_piece(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    const struct field piece = { .meaning = PIECE, .max = f->bit >> field_shift(f) };
    int64_t number;
    if (to_number(&piece, v, &number, err) < 0)
        return -1;
    int64_t others = get_number(w, f) & ~(int64_t)f->bit;
    return put_number(w, f, others | number << field_shift(f), err);
}

/* "1:", "1:2", ":2": two halves in up to four hexadecimal digits each. */
static bool parse_handle(const char *text, uint32_t *handle) {
    static const char hex[] = "0123456789abcdefABCDEF";
    size_t major = strspn(text, hex);
    const char *colon = text + major;
    if (!strcmp(text, "root")) {
        *handle = TC_H_ROOT;
        return true;
    }
    size_t minor = *colon ? strspn(colon + 1, hex) : 0;
    if (*colon != ':' || colon[1 + minor] || major > 4 || minor > 4 || major + minor == 0)
        return false;
    *handle = (uint32_t)(strtoul(text, NULL, 16) << 16 | strtoul(colon + 1, NULL, 16));
    return true;
}

int write_handle(struct writer *w, const struct field *f, const struct value *v,
                 struct error *err) {
    uint32_t handle;
    if (v->type != VALUE_TEXT || !parse_handle(v->text, &handle))
        return refuse(v, "a handle such as \"1:\" or \"1:2\"", err);
    return put_number(w, f, handle, err);
}

int write_node(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    uint32_t handle;
    int64_t number = v->number;
    if (v->type == VALUE_TEXT && node_parse(v->text, &handle))
        return put_number(w, f, handle, err);
    if (v->type == VALUE_NUMBER || (v->type == VALUE_TEXT && parse_integer(v->text, 0, &number)))
        return in_range(f, number, err) < 0 ? -1 : put_number(w, f, number, err);
    return refuse(v, "a number, or of u32 such as \"800::5\"", err);
}

int refuse_list(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    char what[40];
    (void)w;
    snprintf(what, sizeof what, "a list of %u numbers", f->bit);
    return refuse(v, what, err);
}

int write_element(struct writer *w, const struct field *f, size_t index, const struct value *v,
                  struct error *err) {
    struct field element = *f;
    element.meaning = NUMBER;
    element.offset = (uint16_t)(f->offset + index * wires[f->wire].size);
    int result = write_number(w, &element, v, err);
    if (result < 0 && err)
        snprintf(err->key, sizeof err->key, "%s", f->name);
    return result < 0 ? -1 : message_note(w->message, f, w->by_name, err);
}

/* --- lists ------------------------------------------------------------------------------------ */

int begin_list(struct writer *w, const struct field *f, struct writer *list, struct error *err) {
    static const struct table items = { .name = "" };
    if (!writer_find(w, f->attr))
        return writer_nest(w, f, &items, list, err);
    snprintf(err->key, sizeof err->key, "%s", f->name);
    return error_set(err, EINVAL, "given twice");
}

int write_item(struct writer *list, const struct field *f, size_t number, const struct value *v,
               struct error *err) {
    const struct field element = list_element(f, number);
    int result = write_plain(list, &element, v, err);
    if (result < 0)
        snprintf(err->key, sizeof err->key, "%s", f->name);
    return result;
}

int end_list(struct writer *w, const struct field *f, struct writer *list, struct error *err) {
    return writer_end(list, err) < 0 ? -1 : message_note(w->message, f, w->by_name, err);
}
