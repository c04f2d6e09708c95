/* What filters do: TCA_ACT_* (linux/pkt_cls.h; net/sched/act_api.c), with the kinds gact
   (linux/tc_act/ tc_gact.h) and mirred (linux/tc_act/tc_mirred.h). police is in police.c. */
#include "action.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "police.h"

/* What happens to the packet; "ok" and "shot" are tc's other words. */
const struct word control_words[] = {
    { (uint32_t)TC_ACT_UNSPEC, "continue" },
    { TC_ACT_OK, "pass" },
    { TC_ACT_RECLASSIFY, "reclassify" },
    { TC_ACT_SHOT, "drop" },
    { TC_ACT_PIPE, "pipe" },
    { TC_ACT_STOLEN, "stolen" },
    { TC_ACT_TRAP, "trap" },
    { TC_ACT_OK, "ok" },
    { TC_ACT_SHOT, "shot" },
    { 0 },
};

#define SHARED(attribute, type)                                                              \
    { "index", NUMBER, U32, .attr = attribute, PART(type, index), .flags = READ_ONLY },      \
        { "ref", NUMBER, S32, .attr = attribute, PART(type, refcnt), .flags = READ_ONLY }, { \
        "bind", NUMBER, S32, .attr = attribute, PART(type, bindcnt), .flags = READ_ONLY      \
    }

/* --- gact ------------------------------------------------------------------------------------- */

static const struct field gact_fields[] = {
    { "control_action", ENUM, S32, .attr = TCA_GACT_PARMS, PART(tc_gact, action),
      .flags = POSITIONAL, .of = control_words, .help = "what happens to the packet" },
    SHARED(TCA_GACT_PARMS, tc_gact),
    { 0 },
};

static int finish_gact(struct writer *w, struct error *err) {
    static const struct tc_gact none = { .action = TC_ACT_OK };
    return writer_find(w, TCA_GACT_PARMS)
               ? 0
               : write_attribute(w, TCA_GACT_PARMS, &none, sizeof none, err);
}

static const struct table gact_table = { .name = "gact",
                                         .fields = gact_fields,
                                         .finish = finish_gact };

/* --- mirred ----------------------------------------------------------------------------------- */

/* The two halves of eaction, and what happens to what is mirrored, for the command only. */
enum { REDIRECTS = OWN_ATTRIBUTES, DIRECTION, CONTROL };

static const struct word mirred_words[] = { { 0, "redirect" }, { 1, "mirror" }, { 0 } };
static const struct word direction_words[] = { { 0, "egress" }, { 1, "ingress" }, { 0 } };

#define ALONE(word_, type, number) \
    { word_, CONSTANT, U32, .attr = type, .flags = WRITE_ONLY | NOT_SAID, .bit = number }
#define MIRRED(member) .attr = TCA_MIRRED_PARMS, PART(tc_mirred, member)

static const struct field mirred_fields[] = {
    { "direction", ENUM, U32, .attr = DIRECTION, .flags = POSITIONAL, .of = direction_words,
      .help = "as if it were sent there, or had come in there" },
    ALONE("egress", DIRECTION, 0),
    ALONE("ingress", DIRECTION, 1),
    { "mirred_action", ENUM, U32, .attr = REDIRECTS, .flags = POSITIONAL, .of = mirred_words,
      .help = "the packet itself, or a copy" },
    ALONE("redirect", REDIRECTS, 0),
    ALONE("mirror", REDIRECTS, 1),
    { "to_dev", DEV, U32, MIRRED(ifindex), .word = "dev", .help = "the interface" },
    { "control_action", ENUM, S32, MIRRED(action), .flags = NOT_SAID, .of = control_words,
      .help = "what happens to the packet that was mirrored" },
    { "control_action", ENUM, S32, .attr = CONTROL, .flags = WRITE_ONLY | POSITIONAL,
      .of = control_words },
    SHARED(TCA_MIRRED_PARMS, tc_mirred),
    { 0 },
};

/* As tc: what is redirected is gone, and of what is mirrored the next action takes care. */
static int finish_control(struct writer *w, struct tc_mirred *parms, bool mirrors,
                          struct error *err) {
    bool given = is_given(w, "control_action");
    if (!given)
        parms->action = mirrors ? TC_ACT_PIPE : TC_ACT_STOLEN;
    if (mirrors)
        return write_attribute(w, CONTROL, &parms->action, sizeof parms->action, err);
    if (parms->action == TC_ACT_STOLEN)
        return 0;
    error_set(err, EINVAL, "what is redirected is gone: nothing else can happen to it");
    strcpy(err->key, "control_action");
    return -1;
}

static int finish_mirred(struct writer *w, struct error *err) {
    static const uint32_t egress;
    struct nlattr *redirects = writer_find(w, REDIRECTS);
    if (!redirects)
        return refuse_missing("redirect", err);
    if (!writer_find(w, TCA_MIRRED_PARMS) || !is_given(w, "to_dev"))
        return refuse_missing("dev", err);
    if (!writer_find(w, DIRECTION) &&
        write_attribute(w, DIRECTION, &egress, sizeof egress, err) < 0)
        return -1;
    struct tc_mirred *parms = mnl_attr_get_payload(writer_find(w, TCA_MIRRED_PARMS));
    bool mirrors = mnl_attr_get_u32(redirects),
         ingress = mnl_attr_get_u32(writer_find(w, DIRECTION));
    parms->eaction = (ingress ? TCA_INGRESS_REDIR : TCA_EGRESS_REDIR) + mirrors;
    return finish_control(w, parms, mirrors, err);
}

static void adapt_mirred(struct reader *r) {
    const struct nlattr *attr = r->tb[TCA_MIRRED_PARMS];
    struct tc_mirred parms;
    if (!attr || mnl_attr_get_payload_len(attr) < sizeof parms || r->tb[DIRECTION])
        return;
    memcpy(&parms, mnl_attr_get_payload(attr), sizeof parms);
    reader_make(r, DIRECTION, parms.eaction >= TCA_INGRESS_REDIR);
    reader_make(r, REDIRECTS, !(parms.eaction & 1));
}

static const struct table mirred_table = {
    .name = "mirred", .fields = mirred_fields, .finish = finish_mirred, .adapt = adapt_mirred
};

/* --- actions ---------------------------------------------------------------------------------- */

/* A word for what happens to the packet stands for gact with it. */
static const struct kind action_kinds[] = {
    { "gact", &gact_table },
    { "mirred", &mirred_table },
    { "police", &police_table },
    { "continue", &gact_table },
    { "pass", &gact_table },
    { "ok", &gact_table },
    { "reclassify", &gact_table },
    { "drop", &gact_table },
    { "shot", &gact_table },
    { "pipe", &gact_table },
    { 0 },
};

static const struct field action_fields[] = {
    { "kind", KIND, .attr = TCA_ACT_KIND, .flags = POSITIONAL,
      .of = "an action such as \"drop\" or \"mirred\"" },
    { NULL, KIND_DATA, .attr = TCA_ACT_OPTIONS, .flags = FLAT },
    { 0 },
};

static void find_kind(struct reader *r) {
    r->kind = kind_named(action_kinds, r->tb[TCA_ACT_KIND]);
}

static const struct word *control_word(const char *name) {
    const struct word *word = control_words;
    while (word->name && strcmp(word->name, name))
        word++;
    return word->name ? word : NULL;
}

static struct tc_gact *gact_parms(const struct writer *w) {
    struct nlattr *options = writer_find(w, TCA_ACT_OPTIONS), *attr;
    mnl_attr_for_each_nested(attr, options) {
        if (mnl_attr_get_type(attr) == TCA_GACT_PARMS)
            return mnl_attr_get_payload(attr);
    }
    return NULL;
}

/* "drop" is `gact drop`. */
static int spell_out(struct writer *w, const struct word *word, struct error *err) {
    take_out(w, writer_find(w, TCA_ACT_KIND));
    gact_parms(w)->action = (int)word->value;
    return write_attribute(w, TCA_ACT_KIND, "gact", sizeof "gact", err);
}

static int finish_action(struct writer *w, struct error *err) {
    const struct nlattr *name = writer_find(w, TCA_ACT_KIND);
    if (!name)
        return refuse_missing("kind", err);
    const struct kind *kind = kind_named(action_kinds, name);
    if (!kind) {
        error_set(err, EINVAL,
                  "\"%s\" given, one of gact, mirred, police, or drop, pass, … expected",
                  SHORT(mnl_attr_get_str(name)));
        strcpy(err->key, "kind");
        return -1;
    }
    const struct word *word = control_word(kind->name);
    if (imply_options(w, kind, err) < 0)
        return -1;
    return word ? spell_out(w, word, err) : 0;
}

const struct table action_table = {
    .name = "action",
    .fields = action_fields,
    .first = "kind",
    .kinds = action_kinds,
    .kind_word = "kind",
    .finish = finish_action,
    .adapt = find_kind,
};

/* --- lists ------------------------------------------------------------------------------------ */

static const struct field no_fields[] = { { 0 } };
static const struct table list_table = { .name = "list", .fields = no_fields };

bool action_next(const struct reader *outer, const struct field *f, int *number,
                 struct reader *action) {
    const struct field nest = { NULL, NESTED, .attr = f->attr, .of = &list_table };
    struct reader list;
    if (!reader_nest(outer, &nest, &list))
        return false;
    while (++*number <= MOST_ACTIONS) {
        const struct field element = { NULL, NESTED, .attr = (uint16_t)*number, .of = f->of };
        if (reader_nest(&list, &element, action)) {
            action->listed = true;
            return true;
        }
    }
    return false;
}

void walk_actions(const struct reader *r, const struct field *f, const struct sink *sink,
                  void *arg) {
    struct reader action;
    if (!r->tb[f->attr])
        return;
    sink->open(arg, f, true);
    for (int i = 0; action_next(r, f, &i, &action);) {
        sink->open(arg, NULL, false);
        schema_read(&action, sink, arg);
        sink->close(arg, NULL, false);
    }
    sink->close(arg, f, true);
}

int action_list(struct writer *outer, const struct field *f, struct writer *list,
                struct error *err) {
    return writer_nest(outer, f, &list_table, list, err);
}

/* What was given for another action says nothing of this one. */
static void forget_all(struct message *m) {
    for (const struct kind *kind = action_kinds; kind->name; kind++)
        for (const struct field *f = kind->data->fields; f->meaning; f++)
            message_forget(m, f);
}

int action_begin(struct writer *list, const struct field *f, int number, struct writer *action,
                 struct error *err) {
    const struct field element = { NULL, NESTED, .attr = (uint16_t)number, .of = f->of };
    if (number > MOST_ACTIONS)
        return error_set(err, E2BIG, "at most %d actions are possible", MOST_ACTIONS);
    forget_all(list->message);
    return writer_nest(list, &element, f->of, action, err);
}
