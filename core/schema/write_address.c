/* Addresses on their way into a message: of links, of IP, with a length or without. */
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>

#include "../address.h"
#include "../cleanup.h"
#include "write.h"

/* The address of a tunnel's link, which follows from its ends, as a record tells it. */
static bool is_of_tunnel(const struct writer *w, const char *text) {
    struct address ip;
    return w->message->from_record && (address_parse(text, AF_UNSPEC, &ip, NULL) == 0 ||
                                       mac_parse(text, ip.bytes, 4, NULL) == 0 ||
                                       mac_parse(text, ip.bytes, sizeof ip.bytes, NULL) == 0);
}

int write_mac(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    uint8_t mac[6];
    if (v->type != VALUE_TEXT)
        return refuse(v, "a MAC address such as \"02:00:00:00:00:01\"", err);
    if (is_of_tunnel(w, v->text))
        return 0;
    return mac_parse(v->text, mac, sizeof mac, err) < 0
               ? -1
               : write_attribute(w, f->attr, mac, sizeof mac, err);
}

/* A caller's keys come in any order: a length that he names for itself counts, else that of the
   last row that has one, as for iproute2 a peer's does. */
static void set_length(struct writer *w, const struct field *f, size_t at, int64_t length) {
    struct message *m = w->message;
    int i = m->lengths[0].from && m->lengths[0].at != at;
    const struct field *before = m->lengths[i].from;
    if (before && (before->meaning == LENGTH || (f->meaning != LENGTH && before > f)))
        return;
    m->lengths[i].at = at;
    m->lengths[i].from = f;
    w->header[at] = (char)length;
}

int write_length(struct writer *w, const struct field *f, const struct value *v,
                 struct error *err) {
    int64_t number;
    if (to_number(f, v, &number, err) < 0)
        return -1;
    set_length(w, f, f->offset, number);
    return 0;
}

/* 0.0.0.0/0 and ::/0 are as "default". */
static bool is_whole_world(const struct address *address) {
    static const uint8_t zeros[sizeof address->bytes];
    return !address->prefixlen && !memcmp(address->bytes, zeros, sizeof zeros);
}

/* "default" has no bytes and takes its family from the rest of the message. */
static bool is_default(const struct field *f, const char *text) {
    return f->meaning == PREFIX &&
           (!strcmp(text, "default") || !strcmp(text, "any") || (f->of && !strcmp(text, f->of)));
}

static int put_address(struct writer *w, const struct field *f, const struct address *address,
                       struct error *err) {
    *message_family(w->message) = address->family;
    if (f->flags & SPLIT)
        set_length(w, f, f->length_at, address->prefixlen);
    else if (f->meaning == PREFIX)
        w->header[f->length_at] = (char)address->prefixlen;
    if (f->meaning == PREFIX && !(f->flags & SPLIT) && is_whole_world(address))
        return 0;
    return write_attribute(w, f->attr, address->bytes, address_size(address->family), err);
}

/* struct rtvia (linux/rtnetlink.h): the family, then the address. */
int write_via(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    static const char word[] = "inet6 ";
    struct address via;
    if (v->type != VALUE_TEXT)
        return refuse(v, "an address such as \"inet6 fe80::1\"", err);
    const char *text = v->text + (strncmp(v->text, word, sizeof word - 1) ? 0 : sizeof word - 1);
    if (address_parse(text, AF_INET6, &via, err) < 0)
        return -1;
    char bytes[sizeof(uint16_t) + sizeof via.bytes];
    wire_store(bytes, U16, via.family);
    memcpy(bytes + sizeof(uint16_t), via.bytes, sizeof via.bytes);
    return write_attribute(w, f->attr, bytes, sizeof bytes, err);
}

/* struct br_mdb_entry's addr: the protocol is behind the address, that of a MAC is 0. */
int write_group(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    struct field proto = *f;
    struct address ip = { 0 };
    uint8_t *family = message_family(w->message);
    if (v->type != VALUE_TEXT)
        return refuse(v, "an address or a MAC such as \"239.1.1.1\"", err);
    bool is_mac = mac_parse(v->text, ip.bytes, ETH_ALEN, NULL) == 0;
    if (!is_mac && address_parse(v->text, *family, &ip, err) < 0)
        return -1;
    if (!is_mac)
        *family = ip.family;
    proto.wire = BE16;
    proto.offset = (uint16_t)(f->offset + sizeof ip.bytes);
    if (put_number(w, &proto, is_mac ? 0 : ip.family == AF_INET ? ETH_P_IP : ETH_P_IPV6, err) < 0)
        return -1;
    memcpy((char *)mnl_attr_get_payload(writer_find(w, f->attr)) + f->offset, ip.bytes,
           sizeof ip.bytes);
    return 0;
}

static bool is_multicast(const struct address *ip) {
    return ip->family == AF_INET ? (ip->bytes[0] & 0xf0) == 0xe0 : ip->bytes[0] == 0xff;
}

int write_ip(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    struct address ip = { .family = (uint8_t)f->bit };
    if (v->type != VALUE_TEXT)
        return refuse(v, "an address such as \"10.0.0.1\"", err);
    if (!(f->of && !strcmp(v->text, f->of)) && address_parse(v->text, (int)f->bit, &ip, err) < 0)
        return -1;
    if (f->flags & MULTICAST && !is_multicast(&ip))
        return refuse(v, "a multicast address", err);
    if (f->flags & UNICAST && is_multicast(&ip))
        return refuse(v, "an address that is not multicast", err);
    return write_attribute(w, f->attr, ip.bytes, address_size(ip.family), err);
}

/* In a record the length is a field of its own. */
int write_subnet(struct writer *w, const struct field *f, const struct value *v,
                 struct error *err) {
    struct address ip;
    if (v->type != VALUE_TEXT)
        return refuse(v, "an address such as \"10.0.0.0/8\"", err);
    if (prefix_parse(v->text, (int)f->bit, &ip, err) < 0 ||
        write_attribute(w, f->attr, ip.bytes, address_size(ip.family), err) < 0)
        return -1;
    const uint16_t length = ip.prefixlen;
    if (!strchr(v->text, '/'))
        return 0;
    return writer_find(w, f->wide) ? error_set(err, EINVAL, "it has a length already")
                                   : write_attribute(w, f->wide, &length, sizeof length, err);
}

/* A length behind the address is as good as one that is named: a filter looks at it, too. */
static int note_length(struct writer *w, const struct field *address, struct error *err) {
    const struct field *f = w->table->fields;
    while (f->meaning && (f->meaning != LENGTH || f->offset != address->length_at))
        f++;
    return message_filters(w->message) && f->meaning ? message_note(w->message, f, false, err) : 0;
}

int write_address(struct writer *w, const struct field *f, const struct value *v,
                  struct error *err) {
    struct address address;
    int family = *message_family(w->message);
    if (v->type != VALUE_TEXT)
        return refuse(v,
                      f->meaning == PREFIX ? "an address such as \"10.0.0.1/24\""
                                           : "an address such as \"10.0.0.1\"",
                      err);
    if (is_default(f, v->text))
        return 0;
    if (f->flags & PLUS && !strcmp(v->text, "+"))
        return write_attribute(w, f->attr, (char[4]){ 0 }, 4, err);
    int failed = f->meaning == PREFIX ? prefix_parse(v->text, family, &address, err)
                                      : address_parse(v->text, family, &address, err);
    if (failed < 0 || put_address(w, f, &address, err) < 0)
        return -1;
    return f->flags & SPLIT && strchr(v->text, '/') ? note_length(w, f, err) : 0;
}
