/* Queueing disciplines: struct tcmsg and TCA_* (linux/rtnetlink.h; net/sched/sch_api.c). */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "tables.h"

static const struct field qdisc_fields[] = {
    { "dev", DEV, S32, HEADER(tcmsg, tcm_ifindex), .help = "the interface" },
    { "root", CONSTANT, U32, HEADER(tcmsg, tcm_parent), .bit = TC_H_ROOT,
      .help = "it takes all that the interface sends" },
    { "parent", HANDLE, U32, HEADER(tcmsg, tcm_parent), .flags = ONLY_TRUE | UNLESS,
      .bit = TC_H_ROOT, .help = "the class it serves: \"1:1\"" },
    { "handle", HANDLE, U32, HEADER(tcmsg, tcm_handle), .help = "its own name: \"1:\"" },
    { "offloaded", BOOL, U8, .attr = TCA_HW_OFFLOAD, .flags = READ_ONLY | ONLY_TRUE },
    { "refcnt", NUMBER, U32, HEADER(tcmsg, tcm_info), .flags = READ_ONLY | UNLESS, .bit = 1 },
    { "ingress_block", NUMBER, U32, .attr = TCA_INGRESS_BLOCK, .min = 1, .max = UINT32_MAX,
      .help = "the block of filters it shares" },
    { "egress_block", NUMBER, U32, .attr = TCA_EGRESS_BLOCK, .min = 1, .max = UINT32_MAX },
    { "kind", KIND, .attr = TCA_KIND, .flags = POSITIONAL,
      .of = "a kind of qdisc such as \"netem\"", .help = "what it does" },
    { "options", KIND_DATA, .attr = TCA_OPTIONS, .flags = FLAT | ALWAYS },
    { 0 },
};

/* Whose names say all that has to be said of them: tc's words behind the place. */
const struct kind qdisc_kinds[] = {
    { "pfifo", &pfifo_table },
    { "bfifo", &bfifo_table },
    { "pfifo_head_drop", &pfifo_table },
    { "pfifo_fast", &pfifo_fast_table },
    { "noqueue" },
    { "mq" },
    { "prio", &prio_table },
    { "sfq", &sfq_table },
    { "fq", &fq_table },
    { "fq_codel", &fq_codel_table },
    { "tbf", &tbf_table },
    { "netem", &netem_table },
    { "htb", &htb_table },
    { "red", &red_table },
    { "cake", &cake_table },
    { "ingress", .parent = TC_H_INGRESS },
    { "clsact", .parent = TC_H_CLSACT },
    { 0 },
};

const struct kind *kind_named(const struct kind *kinds, const struct nlattr *attr) {
    const char *name = attr ? mnl_attr_get_payload(attr) : "";
    size_t length = attr ? strnlen(name, mnl_attr_get_payload_len(attr)) : 0;
    return schema_kind(kinds, name, length);
}

static void find_kind(struct reader *r) {
    r->kind = kind_named(qdisc_kinds, r->tb[TCA_KIND]);
}

/* --- where it is ------------------------------------------------------------------------------ */

int refuse_place(const char *sentence, struct error *err) {
    error_set(err, EINVAL, "%s", sentence);
    strcpy(err->key, "parent");
    return -1;
}

/* Kinds that can be in one place only are there without a word. */
static int put_in_its_place(struct writer *w, struct tcmsg *header, uint32_t parent,
                            struct error *err) {
    if (header->tcm_parent && header->tcm_parent != parent)
        return refuse_place("this kind has a place of its own", err);
    header->tcm_parent = parent;
    header->tcm_handle = TC_H_MAJ(parent);
    message_forget(w->message, schema_field(w->table, "parent"));
    message_forget(w->message, schema_field(w->table, "handle"));
    return 0;
}

static int find_place(struct writer *w, const struct kind *kind, struct error *err) {
    struct tcmsg *header = (struct tcmsg *)w->header;
    if (is_given(w, "root") && is_given(w, "parent"))
        return refuse_place("it is either root or has a parent", err);
    if (kind && kind->parent)
        return put_in_its_place(w, header, kind->parent, err);
    if (!header->tcm_parent && w->message->verb->type == RTM_GETQDISC)
        header->tcm_parent = header->tcm_handle ? 0 : TC_H_ROOT;
    if (!header->tcm_parent && !header->tcm_handle)
        return refuse_place("say where: root = true, or the parent's \"1:1\"", err);
    return 0;
}

int imply_options(struct writer *w, const struct kind *kind, struct error *err) {
    static const struct field options = { "", KIND_DATA, .attr = TCA_OPTIONS };
    struct writer inner;
    if (w->message->verb->type != w->message->object->reply || !kind || !kind->data ||
        !kind->data->finish || writer_find(w, TCA_OPTIONS))
        return 0;
    return writer_nest(w, &options, kind->data, &inner, err) < 0 ? -1 : writer_end(&inner, err);
}

static int finish_qdisc(struct writer *w, struct error *err) {
    const struct kind *kind = kind_named(qdisc_kinds, writer_find(w, TCA_KIND));
    if (message_lists(w->message))
        return 0;
    return find_place(w, kind, err) < 0 ? -1 : imply_options(w, kind, err);
}

const struct table qdisc_table = {
    .name = "qdisc",
    .fields = qdisc_fields,
    .header = sizeof(struct tcmsg),
    .kinds = qdisc_kinds,
    .kind_word = "kind",
    .finish = finish_qdisc,
    .adapt = find_kind,
};

const struct verb qdisc_verbs[] = {
    { "add", "tc qdisc add", RTM_NEWQDISC, ADD, "kind", NULL, "create a qdisc", { "kind", "dev" } },
    { "set",
      "tc qdisc change",
      RTM_NEWQDISC,
      0,
      "kind",
      NULL,
      "give one other options",
      { "kind", "dev" } },
    { "replace",
      "tc qdisc replace",
      RTM_NEWQDISC,
      REPLACE,
      "kind",
      NULL,
      "create one in the place of another, or change it",
      { "kind", "dev" } },
    { "del", "tc qdisc del", RTM_DELQDISC, 0, "kind", NULL, "delete one", { "dev" } },
    /* up to 5.18 the kernel answers only if it is asked for an echo */
    { "get",
      "tc qdisc show",
      RTM_GETQDISC,
      NLM_F_ECHO,
      "dev",
      NULL,
      "one record: of root, or by parent or handle",
      { "dev" } },
    { "list", "tc qdisc show", RTM_GETQDISC, NLM_F_DUMP, "dev", NULL,
      "the records of all, or of some" },
    { 0 },
};
