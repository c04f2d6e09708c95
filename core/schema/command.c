/* A request as the command line that does the same. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "action.h"
#include "make.h"
#include "u32.h"
#include "unit.h"

struct line {
    char *text;
    size_t size, used;
    bool complete;
};

static void put(struct line *line, const char *text, size_t length) {
    line->complete = line->complete && length < line->size - line->used;
    if (!line->complete)
        return;
    memcpy(line->text + line->used, text, length);
    line->used += length;
    line->text[line->used] = 0;
}

static void say(struct line *line, const char *word) {
    put(line, " ", line->used > 0 && line->text[line->used - 1] != '\n');
    put(line, word, strlen(word));
}

static bool is_plain(const char *value, size_t length) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:@%+,=";
    for (size_t i = 0; i < length; i++)
        if (!memchr(plain, value[i], sizeof plain - 1))
            return false;
    return length > 0;
}

/* A value, quoted for the shell if it needs it. */
static void put_value(struct line *line, const char *value, size_t length) {
    bool plain = is_plain(value, length);
    put(line, "'", !plain);
    for (size_t i = 0; i < length; i++)
        put(line, value[i] == '\'' ? "'\\''" : value + i, value[i] == '\'' ? 4 : 1);
    put(line, "'", !plain);
}

static void say_value(struct line *line, const char *value, size_t length) {
    say(line, "");
    put_value(line, value, length);
}

/* "up" or "down"; "multicast on" or "multicast off"; "nodad" or nothing. */
static void say_switch(struct line *line, const struct reader *r, const struct field *f) {
    struct field mask = *f;
    int64_t bits = 0, meant = f->bit;
    mask.offset = (uint16_t)(f->offset + 4);
    if (!read_number(r, f, &bits) ||
        (f->flags & MASKED && (!read_number(r, &mask, &meant) || !(meant & f->bit))))
        return;
    bool on = ((bits & f->bit) != 0) != ((f->flags & INVERTED) != 0);
    if (!on && f->attr && !(f->flags & MASKED) && !message_given(r->message, f))
        return; /* other bits of its number were */
    if (f->of) {
        say(line, on ? field_word(f) : f->of);
    } else if (f->flags & MASKED) {
        say(line, field_word(f));
        say(line, f->flags & AS_NUMBER ? (on ? "1" : "0") : on ? "on" : "off");
    } else if (on) {
        say(line, field_word(f));
    }
}

static void say_bits(struct line *line, const struct reader *r, const struct field *f) {
    int64_t bits;
    if (!read_number(r, f, &bits))
        return;
    for (const struct word *word = f->of; word->name; word++)
        if (bits ? bits & word->value : !word->value) {
            char lower[64];
            size_t i = 0;
            for (; i < sizeof lower - 1 && word->name[i]; i++)
                lower[i] = (char)(word->name[i] | 0x20);
            lower[i] = 0;
            say(line, field_word(f));
            say(line, lower);
        }
}

static bool has_data(const struct reader *r, enum meaning meaning) {
    const struct field *f = r->table->fields;
    while (f->meaning && f->meaning != meaning)
        f++;
    return f->meaning && r->tb[f->attr];
}

/* A request that only changes a port names its master's kind: "type bridge_slave". */
static bool say_port_kind(struct line *line, const struct reader *r, const struct field *f) {
    struct field port = *f;
    struct value v;
    char kind[64];
    port.attr = (uint16_t)f->bit;
    bool only_port = !r->tb[f->attr] || (has_data(r, PORT_DATA) && !has_data(r, KIND_DATA));
    if (!port.attr || !only_port || !read_value(r, &port, &v))
        return false;
    snprintf(kind, sizeof kind, "%.*s_slave", (int)v.length, v.text);
    say(line, field_word(f));
    say(line, kind);
    return true;
}

static void say_number(struct line *line, const struct reader *r, const struct field *f) {
    char text[UNIT_TEXT];
    int64_t number = 0;
    read_number(r, f, &number);
    if (f->meaning == QUANTITY)
        unit_say(f->of, number, text);
    else
        snprintf(text, sizeof text, "%lld", (long long)number);
    say(line, text);
}

/* "delay 50ms 10ms 25%": values up to the last one that was given, some with a word of their own.
 */
static void say_group(struct line *line, const struct reader *group) {
    const struct field *rows = group->table->fields, *last = NULL;
    for (const struct field *f = rows; f->meaning; f++)
        if (message_given(group->message, f))
            last = f;
    for (const struct field *f = rows; last && f <= last; f++) {
        if (f->word)
            say(line, f->word);
        say_number(line, group, f);
    }
}

/* "1,10": the fields that records show. */
static void say_struct(struct line *line, const struct reader *r) {
    char number[24];
    struct value v;
    bool first = true;
    for (const struct field *f = r->table->fields; f->meaning; f++)
        if (read_value(r, f, &v)) {
            int length =
                snprintf(number, sizeof number, "%s%lld", first ? "" : ",", (long long)v.number);
            put(line, number, (size_t)length);
            first = false;
        }
}

static void say_numbers(struct line *line, const struct reader *r, const struct field *f) {
    struct field element = *f;
    say(line, field_word(f));
    for (uint32_t i = 0; i < f->bit; i++) {
        element.offset = (uint16_t)(f->offset + i * wires[f->wire].size);
        say_number(line, r, &element);
    }
}

static void say_pair(struct line *line, const struct reader *r, const struct field *f) {
    const struct field second = pair_second(f);
    const char *format = f->bit == 16 ? "%s%#llx" : "%s%lld";
    const char *last = f->bit ? "%s%#llx" : "%s%lld";
    int64_t a, b;
    char text[UNIT_TEXT];
    if (!read_number(r, f, &a))
        return;
    int used = snprintf(text, sizeof text, format, "", (long long)a);
    if (read_number(r, &second, &b) && (a != b || f->wide || !(f->flags & SAME)))
        snprintf(text + used, sizeof text - (size_t)used, last, (const char *)f->of, (long long)b);
    say(line, field_word(f));
    say(line, text);
}

struct list {
    struct line *line;
    char mark; /* between them; 0: a blank */
    bool begun;
};

static void say_element(void *arg, const struct value *v) {
    struct list *list = arg;
    if (list->mark && list->begun)
        put(list->line, &list->mark, 1);
    else
        say(list->line, "");
    put_value(list->line, v->text, v->length);
    list->begun = true;
}

static void say_list(struct line *line, const struct reader *r, const struct field *f) {
    struct list list = { line, (char)f->bit, false };
    if (!find_attribute(r, f))
        return;
    say(line, field_word(f));
    read_list(r, f, say_element, &list);
    if (list.mark && !list.begun)
        say_value(line, "", 0);
}

/* "mtu lock 1400". */
static void say_word(struct line *line, const struct reader *r, const struct field *f) {
    const struct field locks = { "", NUMBER, U32, .attr = r->table->locks };
    int64_t bits;
    say(line, field_word(f));
    if (locks.attr && !f->bit && read_number(r, &locks, &bits) && bits >> f->attr & 1)
        say(line, "lock");
}

static void say_quantity(struct line *line, const struct reader *r, const struct field *f) {
    const struct unit *unit = f->of;
    int64_t number;
    if (!read_number(r, f, &number))
        return;
    if (number || !unit->zero)
        say_word(line, r, f);
    say_number(line, r, f);
}

/* One that a process holds is called by its pid. "/proc/$$/ns/net" is for the shell to fill in. */
static void say_netns(struct line *line, const struct value *v) {
    int pid, end = 0;
    if (sscanf(v->text, "/proc/%d/ns/net%n", &pid, &end) == 1 && (size_t)end == v->length) {
        char number[16];
        snprintf(number, sizeof number, "%d", pid);
        say(line, number);
    } else if (!strncmp(v->text, "/proc/$$/", 9)) {
        say(line, v->text);
    } else {
        say_value(line, v->text, v->length);
    }
}

/* What the program reads from a file: "<(echo …)" is one in bash and zsh. */
static void say_secret(struct line *line, const struct value *v) {
    say(line, v->length ? "<(echo " : "/dev/null");
    put(line, v->text, v->length);
    put(line, ")", v->length > 0);
}

static void say_field(struct line *line, const struct reader *r, const struct field *f) {
    struct value v;
    char number[24];
    int64_t code;
    if ((f->meaning == KIND && say_port_kind(line, r, f)) || !read_value(r, f, &v))
        return;
    if (f->meaning == CONSTANT || (f->meaning == FLAG && !f->of)) {
        say(line, field_word(f));
        return;
    }
    if (f->meaning == BOOL && f->of) {
        const char *word = v.number ? field_word(f) : f->of;
        if (*word)
            say(line, word);
        return;
    }
    if (f->meaning == INSTEAD) {
        say(line, field_word(f));
        say(line, f->of);
        return;
    }
    if (!(f->flags & POSITIONAL))
        say_word(line, r, f);
    if (f->meaning == VIA)
        say(line, "inet6");
    if (f->meaning == ENUM && f->flags & AS_NUMBER && read_number(r, f, &code)) {
        v.type = VALUE_NUMBER;
        v.number = code;
    }
    if (v.type == VALUE_TEXT && f->meaning == NETNS) {
        say_netns(line, &v);
        return;
    }
    if (f->meaning == KEY && f->bit == SECRET_KEY) {
        say_secret(line, &v);
        return;
    }
    if (v.type == VALUE_TEXT) {
        say_value(line, v.text, v.length);
        return;
    }
    snprintf(number, sizeof number, "%lld", (long long)v.number);
    say(line, v.type == VALUE_BOOL                                    ? (v.number ? "on" : "off")
              : f->flags & FOREVER && v.number == (int64_t)UINT32_MAX ? "forever"
                                                                      : number);
}

/* A flush is of both families where nothing says of which. */
static bool needs_family(const struct message *m) {
    const struct field *family = schema_field(m->object->table, "family");
    return m->object->family_option || (message_filters(m) && family && message_given(m, family));
}

static int64_t number_of(const struct reader *r, const struct field *f) {
    int64_t number;
    return read_number(r, f, &number) ? number : 0;
}

/* Of what is there anyway, only what was given: a fixed struct, a destination, the other members of
   a struct. A MASKED row may have been written by another, as "up" is by "down". What a record has
   that is so already is in the message no more. Of one of several actions, what is not 0. */
static bool is_said(const struct reader *r, const struct field *f) {
    bool is_part = (f->size && !(f->flags & FOREVER)) || f->meaning == PIECE;
    bool anyway = !f->attr || is_part || (f->flags & ALWAYS && !field_is_nest(f));
    bool is_gone = f->flags & ALWAYS && f->attr && f->meaning != PREFIX && !r->tb[f->attr];
    if (f->flags & (READ_ONLY | NOT_SAID) || is_gone)
        return false;
    if (r->listed && anyway)
        return f->flags & POSITIONAL || number_of(r, f);
    return !anyway || f->flags & MASKED || message_given(r->message, f);
}

static void say_level(struct line *line, const struct reader *r);

static void say_nest(struct line *line, const struct reader *r, const struct field *f) {
    struct reader inner;
    if (!reader_nest(r, f, &inner) || (f->meaning == GROUP && f->attr && !r->tb[f->attr]))
        return;
    bool in_order = f->meaning == GROUP && !(f->flags & POSITIONAL) && !inner.table->fields->word;
    const uint16_t first = inner.table->fields->attr;
    if (in_order && first && !r->tb[first])
        return; /* a record's, which is so already */
    if (f->word || in_order)
        say(line, field_word(f));
    if (in_order)
        say_group(line, &inner);
    else
        say_level(line, &inner);
}

/* A hop is said with its word before it, "nexthop via 10.0.0.1 weight 2"; structs in one word, as
   "1,10/2". */
static void say_records(struct line *line, const struct reader *r, const struct field *f) {
    struct reader inner;
    if (f->bit == STRUCTS && r->tb[f->attr])
        say(line, field_word(f));
    for (const char *at = NULL, *before = NULL; reader_element(r, f, &at, &inner); before = at) {
        if (f->bit == STRUCTS) {
            put(line, before ? "/" : " ", 1);
            say_struct(line, &inner);
        } else {
            say(line, field_word(f));
            say_level(line, &inner);
        }
    }
}

static void say_matches(struct line *line, const struct reader *r, const struct field *f) {
    char text[MATCH_TEXT];
    for (int i = 0; match_text(r, f, i, true, text); i++) {
        say(line, field_word(f));
        say(line, text);
    }
}

static void say_actions(struct line *line, const struct reader *r, const struct field *f) {
    struct reader action;
    for (int i = 0; action_next(r, f, &i, &action);) {
        say(line, field_word(f));
        say_level(line, &action);
    }
}

static void say_row(struct line *line, const struct reader *r, const struct field *f) {
    if (field_is_nest(f))
        say_nest(line, r, f);
    else if (f->meaning == SWITCH)
        say_switch(line, r, f);
    else if (f->meaning == BITS)
        say_bits(line, r, f);
    else if (f->meaning == RECORDS)
        say_records(line, r, f);
    else if (f->meaning == NUMBERS)
        say_numbers(line, r, f);
    else if (f->meaning == LIST)
        say_list(line, r, f);
    else if (f->meaning == QUANTITY)
        say_quantity(line, r, f);
    else if (f->meaning == PAIR)
        say_pair(line, r, f);
    else if (f->meaning == MATCHES)
        say_matches(line, r, f);
    else if (f->meaning == ACTIONS)
        say_actions(line, r, f);
    else
        say_field(line, r, f);
}

static void say_level(struct line *line, const struct reader *r) {
    for (const struct field *f = r->table->fields; f->meaning; f++)
        if (is_said(r, f))
            say_row(line, r, f);
}

/* "ip -n ns1"; a namespace without a name is entered by its path, and wg has no such option. */
static void say_program(struct line *line, const char *command, const char *netns) {
    bool by_path = netns && strchr(netns, '/'), is_wg = !strncmp(command, "wg ", 3);
    if (by_path) {
        say(line, "nsenter --net=");
        put_value(line, netns, strlen(netns));
    }
    if (netns && !by_path && is_wg) {
        say(line, "ip netns exec");
        say_value(line, netns, strlen(netns));
    }
    say(line, "");
    put(line, command, strcspn(command, " "));
    if (netns && !by_path && !is_wg) {
        say(line, "-n");
        say_value(line, netns, strlen(netns));
    }
}

/* "ip link set" with its options behind the first word. */
static void say_start(struct line *line, const struct reader *r, const char *netns) {
    const struct message *m = r->message;
    int family = r->family;
    bool via = has_data(r, VIA); /* of IPv6, for which ip may take all */
    const char *command = m->verb->command, *rest = strchr(command, ' ') + 1;
    say_program(line, command, netns);
    if (family == AF_INET6 && needs_family(m))
        say(line, "-6");
    if (family == AF_INET && (via || (!m->object->family_option && needs_family(m))))
        say(line, "-4");
    say(line, rest);
}

/* What is changed of such a link then; nothing, if nothing is. */
static void say_change(struct line *line, const struct message *m, const char *netns,
                       struct reader *r, const char *name) {
    static const char *const made[] = { "linkinfo", "ifname", "num_tx_queues", "num_rx_queues" };
    size_t end = line->used;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        r->tb[schema_field(r->table, made[i])->attr] = NULL;
    put(line, "\n", 1);
    say_program(line, schema_verb(m->object, "set")->command, netns);
    say(line, "link set dev");
    say_value(line, name, strlen(name));
    size_t start = line->used;
    say_level(line, r);
    if (line->used == start)
        line->text[line->used = end] = 0;
}

/* A link that is not made by "ip link add", and in a second command the rest. */
static void say_made(struct line *line, const struct message *m, const char *netns,
                     struct reader *r, const struct reader *data, const char *name) {
    say_program(line, m->verb->command, netns);
    say(line, "tuntap add dev");
    say_value(line, name, strlen(name));
    say_level(line, data);
    say_change(line, m, netns, r, name);
}

bool schema_command(const struct message *m, const char *netns, char *text, size_t size) {
    struct line line = { text, size, 0, true };
    struct reader r, data;
    char name[16];
    if (reader_begin(&r, m->object->table, &m->header, m->nl) < 0)
        return false;
    r.message = m;
    if (schema_made(m, &data, name)) {
        say_made(&line, m, netns, &r, &data, name);
        return line.complete;
    }
    say_start(&line, &r, netns);
    say_level(&line, &r);
    return line.complete;
}
