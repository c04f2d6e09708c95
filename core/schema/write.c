/* Values into attributes and fields, by the meaning of their row. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "../cleanup.h"
#include "../netns.h"
#include "masked.h"
#include "names.h"
#include "peer.h"
#include "u32.h"
#include "write.h"

/* --- words ------------------------------------------------------------------------------------ */

static bool is_true(const struct value *v, bool *on) {
    static const char *const yes[] = { "on", "1", "true", "yes" }, *const no[] = { "off", "0",
                                                                                   "false", "no" };
    *on = v->number != 0;
    if (v->type == VALUE_BOOL)
        return true;
    if (v->type == VALUE_NUMBER)
        return v->number == 0 || v->number == 1;
    for (size_t i = 0; v->type == VALUE_TEXT && i < 4; i++)
        if (!strcmp(v->text, yes[i]) || !strcmp(v->text, no[i])) {
            *on = !strcmp(v->text, yes[i]);
            return true;
        }
    return false;
}

static int write_switch(struct writer *w, const struct field *f, bool on, struct error *err) {
    int64_t bits = get_number(w, f);
    bool set = on != ((f->flags & INVERTED) != 0);
    if (is_zero_anyway(w, f, set))
        return 0;
    if (put_number(w, f, set ? bits | f->bit : bits & ~(int64_t)f->bit, err) < 0)
        return -1;
    struct field mask = *f;
    if (f->wide) {
        mask.attr = f->wide;
        mask.wide = 0;
        return write_switch(w, &mask, on, err);
    }
    if (!(f->flags & MASKED))
        return 0;
    mask.offset = (uint16_t)(f->offset + 4);
    int64_t meant = get_number(w, &mask);
    if (meant & f->bit && ((bits & f->bit) != 0) != set)
        return error_set(err, EINVAL, "it contradicts another key");
    return put_number(w, &mask, meant | f->bit, err);
}

static int refuse_other(const struct field *f, const struct value *v, struct error *err) {
    char valid[40];
    snprintf(valid, sizeof valid, "\"%s\"", (const char *)f->of);
    return refuse(v, valid, err);
}

static int write_bool(struct writer *w, const struct field *f, const struct value *v,
                      struct error *err) {
    bool by_word = (f->meaning == FLAG || f->meaning == INSTEAD) && f->of;
    bool on = by_word && v->type == VALUE_TEXT && !strcmp(v->text, f->of);
    if (!on && !is_true(v, &on))
        return f->meaning == INSTEAD ? refuse_other(f, v, err) : refuse(v, "true or false", err);
    if (f->meaning == BOOL)
        return put_number(w, f, on, err);
    if (f->meaning == SWITCH || f->meaning == INSTEAD)
        return write_switch(w, f, on, err);
    if (f->meaning == FLAG)
        return !on ? 0 : write_attribute(w, f->attr, "\1", wires[f->wire].size, err);
    return on ? put_number(w, f, f->bit, err) : 0; /* CONSTANT */
}

static int refuse_word(const struct field *f, const struct value *v, struct error *err) {
    char text[80], valid[140] = "";
    for (const struct word *word = words_of(f); word && word->name; word++) {
        size_t used = strlen(valid);
        if (!*word->name)
            continue;
        if (used + strlen(word->name) + 8 > sizeof valid) {
            snprintf(valid + used, sizeof valid - used, ", …");
            break;
        }
        snprintf(valid + used, sizeof valid - used, "%s%s", used ? ", " : "", word->name);
    }
    return error_set(err, EINVAL, "%s given, one of %s expected", shown(v, text), valid);
}

/* A word of the row's list in any case, or a number that fits. */
static int find_word(const struct field *f, const struct value *v, int64_t *number,
                     struct error *err) {
    bool in_digits = f->bit == 16 && (f->meaning == NAMED || f->meaning == ENUM);
    int base = in_digits ? 16 : 0;
    if (v->type == VALUE_TEXT)
        for (const struct word *word = words_of(f); word && word->name; word++)
            if (!strcasecmp(word->name, v->text)) {
                *number = word->value;
                return 0;
            }
    *number = v->number;
    if (v->type == VALUE_NUMBER || (v->type == VALUE_TEXT && parse_integer(v->text, base, number)))
        return in_range(f, *number, err);
    return refuse_word(f, v, err);
}

/* A list of MASKED words says all of them, also those that are not in it. */
static int mean_all(struct writer *w, const struct field *f, struct error *err) {
    struct field mask = *f;
    int64_t all = 0;
    if (f->meaning != BITS || !(f->flags & MASKED) || message_filters(w->message))
        return 0;
    for (const struct word *word = f->of; word->name; word++)
        all |= word->value;
    mask.offset = (uint16_t)(f->offset + 4);
    return put_number(w, &mask, all, err);
}

static int write_word(struct writer *w, const struct field *f, const struct value *v,
                      struct error *err) {
    int64_t number;
    if (find_word(f, v, &number, err) < 0)
        return -1;
    if (is_zero_anyway(w, f, number))
        return 0;
    if (f->meaning == BITS && f->bit && !message_filters(w->message))
        number &= f->bit;
    if (f->meaning == BITS)
        number |= get_number(w, f);
    return put_number(w, f, number, err) < 0 ? -1 : mean_all(w, f, err);
}

static int write_family(struct writer *w, const struct field *f, const struct value *v,
                        struct error *err) {
    int64_t number;
    uint8_t *family = message_family(w->message);
    if (find_word(f, v, &number, err) < 0)
        return -1;
    if (*family && *family != number)
        return refuse(
            v, *family == AF_INET6 ? "inet6 as of the addresses" : "inet as of the addresses", err);
    *family = (uint8_t)number;
    return 0;
}

/* --- strings ---------------------------------------------------------------------------------- */

static int write_string(struct writer *w, const struct field *f, const struct value *v,
                        struct error *err) {
    char number[24];
    const char *text = v->text;
    if (v->type == VALUE_NUMBER) {
        snprintf(number, sizeof number, "%lld", (long long)v->number);
        text = number;
    } else if (v->type != VALUE_TEXT) {
        return refuse(v, "a string", err);
    }
    size_t length = strlen(text);
    if (length == 0 && f->min > 0)
        return refuse(v, "a name", err);
    if (f->max && length > (size_t)f->max)
        return error_set(err, ENAMETOOLONG, "\"%s\" has %zu characters, at most %lld are allowed",
                         SHORT(text), length, (long long)f->max);
    /* where the text is the longest, the kernel takes the zero behind it for a part of it */
    return write_attribute(w, f->attr, text, length + (f->max != (int64_t)length), err);
}

/* --- interfaces, namespaces, kinds ------------------------------------------------------------ */

static int write_dev(struct writer *w, const struct field *f, const struct value *v,
                     struct error *err) {
    if (v->type == VALUE_NUMBER)
        return in_range(f, v->number, err) < 0 ? -1 : put_number(w, f, v->number, err);
    if (v->type == VALUE_BOOL && v->number && f->flags & OR_TRUE)
        return put_number(w, f, 0, err);
    if (v->type != VALUE_TEXT)
        return refuse(v, "the name of an interface", err);
    int index = netlink_index(w->message->nl, v->text, err);
    return index < 0 ? -1 : put_number(w, f, index, err);
}

/* The descriptor of a namespace, kept by the message, as long as which it is open; -1. */
static int open_namespace(struct message *m, const struct value *v, struct error *err) {
    if (m->namespace_count == MESSAGE_NAMESPACES)
        return error_set(err, E2BIG, "too many namespaces in one request");
    bool by_name = v->type == VALUE_TEXT;
    if (!by_name && v->number < 0)
        return error_set(err, EBADF, "the namespace is closed");
    int fd = by_name ? netns_open_name(v->text, err) : (int)v->number;
    if (fd < 0)
        return -1;
    int i = m->namespace_count++;
    m->namespaces[i].fd = fd;
    m->namespaces[i].opened = by_name;
    snprintf(m->namespaces[i].name, sizeof m->namespaces[i].name, "%s", v->text ? v->text : "");
    return fd;
}

static int write_netns(struct writer *w, const struct field *f, const struct value *v,
                       struct error *err) {
    bool is_pid = v->type == VALUE_NUMBER && v->number > 0 && v->number <= INT32_MAX;
    if (!is_pid && v->type != VALUE_TEXT && v->type != VALUE_NETNS)
        return refuse(v, "a namespace, its name, or a pid", err);
    if (is_pid && kill((pid_t)v->number, 0) < 0 && errno == ESRCH)
        return error_set(err, ESRCH, "there is no process %d", (int)v->number);
    int number = is_pid ? (int)v->number : open_namespace(w->message, v, err);
    if (number < 0)
        return -1;
    return write_attribute(w, is_pid ? (uint16_t)f->bit : f->attr, &number, sizeof number, err);
}

static int write_kind(struct writer *w, const struct field *f, const struct value *v,
                      struct error *err) {
    static const char slave[] = "_slave";
    if (v->type != VALUE_TEXT || !v->length)
        return refuse(v, f->of, err);
    size_t tail = sizeof slave - 1;
    if (!f->bit || v->length <= tail || strcmp(v->text + v->length - tail, slave))
        return write_attribute(w, f->attr, v->text, v->length + 1, err);
    cleanup_free char *master = strndup(v->text, v->length - tail);
    if (!master)
        return error_errno(err, ENOMEM);
    return write_attribute(w, (uint16_t)f->bit, master, strlen(master) + 1, err);
}

/* --- the one way in --------------------------------------------------------------------------- */

static int (*const writers[])(struct writer *, const struct field *, const struct value *,
                              struct error *) = {
    [NUMBER] = write_number,
    [HEX] = write_number,
    [BOOL] = write_bool,
    [SWITCH] = write_bool,
    [CONSTANT] = write_bool,
    [ENUM] = write_word,
    [BITS] = write_word,
    [FAMILY] = write_family,
    [STRING] = write_string,
    [MAC] = write_mac,
    [ADDRESS] = write_address,
    [PREFIX] = write_address,
    [DEV] = write_dev,
    [LENGTH] = write_length,
    [NETNS] = write_netns,
    [KIND] = write_kind,
    [NUMBERS] = refuse_list,
    [QUANTITY] = write_quantity,
    [POWER] = write_power,
    [HANDLE] = write_handle,
    [PAIR] = write_pair,
    [FLAG] = write_bool,
    [IP] = write_ip,
    [NAMED] = write_word,
    [MULTICAST_GROUP] = write_group,
    [VIA] = write_via,
    [REALMS] = write_realms,
    [WEIGHT] = write_weight,
    [SUBNET] = write_subnet,
    [QUAD] = write_quad,
    [PIECE] = write_piece,
    [INSTEAD] = write_bool,
    [ACCOUNT] = write_account,
    [KNODE] = write_node,
    [MATCHES] = write_match,
    [VEILED] = write_masked,
    [ACTIONS] = NULL, /* action.h */
    [KEY] = write_key,
    [ENDPOINT] = write_endpoint,
    [NETWORK] = write_network,
};

int write_plain(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    if (v->type == VALUE_TEXT && strlen(v->text) != v->length)
        return error_set(err, EINVAL, "there is a zero byte in \"%s\"", SHORT(v->text));
    return writers[f->meaning](w, f, v, err);
}

bool field_filters(const struct field *f) {
    return writers[f->meaning] && !(f->flags & UNTOLD);
}

/* An attribute that other rows share may stand there already. */
static bool is_shared(const struct field *f) {
    return !f->attr || f->size || f->meaning == SWITCH || f->meaning == BITS ||
           f->meaning == PIECE || f->meaning == INSTEAD;
}

/* Under its name and its word, or by a row that writes the same attribute. A nest may have the rows
   of the message, but a struct in it is its own. */
static bool is_given_twice(const struct writer *w, const struct field *f) {
    if (f->meaning == BITS || f->meaning == MATCHES)
        return false; /* word by word */
    if (is_shared(f))
        return message_given(w->message, f) && (!w->nest || (f->size && writer_find(w, f->attr)));
    return (!w->nest && message_given(w->message, f)) || writer_find(w, f->attr);
}

/* Which of the two keys came last is chance: both go by the same word. */
static int refuse_twice(const struct field *f, struct error *err) {
    error_set(err, EINVAL, "given twice");
    if (err)
        snprintf(err->key, sizeof err->key, "%s", f->word ? f->word : f->name);
    return -1;
}

static int write_checked(struct writer *w, const struct field *f, const struct value *v,
                         struct error *err) {
    bool twice = is_given_twice(w, f);
    if (!writers[f->meaning] || (!field_filters(f) && message_lists(w->message)))
        return schema_unfit_filter(w->table, err);
    if (twice)
        return refuse_twice(f, err);
    return write_plain(w, f, v, err) < 0 ? -1 : message_note(w->message, f, w->by_name, err);
}

/* "lock 1400": a value that nothing lowers. Takes the word off. */
static int write_lock(struct writer *w, const struct field *f, struct value *v, struct error *err) {
    static const char word[] = "lock ";
    const struct field *locks = w->table->locks ? schema_field(w->table, "lock") : NULL;
    if (!locks || f == locks || v->type != VALUE_TEXT || strncmp(v->text, word, sizeof word - 1))
        return 0;
    v->text += sizeof word - 1;
    v->length -= sizeof word - 1;
    return put_number(w, locks, get_number(w, locks) | INT64_C(1) << f->attr, err);
}

/* Also what goes into the rest is checked before anything is sent. */
static int write_or_postpone(struct writer *w, const struct field *f, const struct value *v,
                             struct error *err) {
    struct message *m = w->message;
    uint32_t start = m->header.nlmsg_len;
    struct value unlocked = *v;
    if (m->rest && w->other && (w->late || f->flags & LATER))
        return error_set(err, EOPNOTSUPP, "it can only be set once the link is there");
    if (write_lock(w, f, &unlocked, err) < 0)
        return -1;
    return write_checked(w, f, &unlocked, err) < 0 ? -1 : message_postpone(w, f, start, err);
}

/* "1000-2000" and "fe80::1" are for the second row of that name. */
static const struct field *second_row(const struct table *table, const struct field *f,
                                      const struct value *v) {
    bool range = f->meaning == PAIR && !(f->flags & WHOLE) && strchr(v->text, '-');
    bool ipv6 = f->meaning == VEILED && f->bit == AF_INET && strchr(v->text, ':');
    for (const struct field *other = table->fields; (range || ipv6) && other->meaning; other++)
        if (other->name && !strcmp(other->name, f->name) &&
            (range ? other->flags & WHOLE : other->bit == AF_INET6))
            return other;
    return f;
}

static bool is_for(const struct field *row, const struct value *v) {
    if (row->meaning == VIA)
        return strchr(v->text, ' ') != NULL;
    return row->meaning == IP ? strchr(v->text, ':') != NULL : !strcmp(row->of, v->text);
}

/* What a row leaves to the one that has its attribute `.wide`, and the same word. */
static const struct field *row_for(const struct table *table, const struct field *f,
                                   const struct value *v) {
    if (v->type == VALUE_TEXT && (f->meaning == VEILED || f->meaning == PAIR))
        return second_row(table, f, v);
    const struct field *other = v->type == VALUE_TEXT ? schema_instead(table, f) : NULL;
    return other && is_for(other, v) ? other : f;
}

int write_value(struct writer *w, const struct field *field, const struct value *value,
                struct error *err) {
    const struct message *m = w->message;
    field = row_for(w->table, field, value);
    if ((field->flags & READ_ONLY && !message_filters(m)) ||
        (field->flags & REPORTED && m->from_record))
        return 0;
    int result = write_or_postpone(w, field, value, err);
    if (result < 0 && err && !err->key[0])
        snprintf(err->key, sizeof err->key, "%s",
                 field->word && !w->by_name ? field->word : field->name);
    return result;
}
