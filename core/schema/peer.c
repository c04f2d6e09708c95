#include "peer.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../address.h"
#include "../endpoint.h"
#include "../key.h"

/* --- KEY -------------------------------------------------------------------------------------- */

/* Zeros are none. */
int write_key(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    uint8_t key[KEY_SIZE] = { 0 };
    if (v->type != VALUE_TEXT)
        return refuse(v, "a key", err);
    bool takes_none = f->bit == SECRET_KEY && !v->length;
    if (!takes_none && key_parse(v->text, key, err) < 0)
        return -1;
    return write_attribute(w, f->attr, key, sizeof key, err);
}

bool read_key(const struct reader *r, const struct field *f, struct value *v) {
    static const uint8_t none[KEY_SIZE];
    const struct nlattr *attr = find_attribute(r, f);
    if (!attr || mnl_attr_get_payload_len(attr) < KEY_SIZE)
        return false;
    const uint8_t *key = mnl_attr_get_payload(attr);
    v->buffer[0] = 0;
    if (memcmp(key, none, sizeof none))
        key_format(key, v->buffer);
    else if (!r->message)
        return false;
    return value_is_buffer(v);
}

/* --- ENDPOINT --------------------------------------------------------------------------------- */

static int refuse_endpoint(const struct value *v, struct error *err) {
    return refuse(v, "an address and a port such as \"10.0.0.1:51820\" or \"[fd00::1]:51820\"",
                  err);
}

/* Parts at the last colon: "10.0.0.1" or "fe80::1%veth0", and the port. */
static bool split(const struct value *v, char host[ADDRESS_TEXT_MAX], int64_t *port) {
    const char *colon = v->type == VALUE_TEXT ? strrchr(v->text, ':') : NULL, *from = v->text;
    size_t length = colon ? (size_t)(colon - from) : 0;
    bool in_brackets = length > 2 && *from == '[' && from[length - 1] == ']';
    if (in_brackets) {
        from++;
        length -= 2;
    }
    if (!length || length >= ADDRESS_TEXT_MAX || !parse_integer(colon + 1, 10, port) || *port < 1 ||
        *port > UINT16_MAX)
        return false;
    memcpy(host, from, length);
    host[length] = 0;
    return in_brackets == (strchr(host, ':') != NULL);
}

static int write_ipv6(struct writer *w, const struct field *f, char *host, int64_t port,
                      struct error *err) {
    union endpoint to = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) } };
    struct address ip;
    char *scope = strchr(host, '%');
    if (scope)
        *scope = 0;
    int index = scope ? netlink_index(w->message->nl, scope + 1, err) : 0;
    if (index < 0 || address_parse(host, AF_INET6, &ip, err) < 0)
        return -1;
    to.v6.sin6_scope_id = (uint32_t)index;
    memcpy(&to.v6.sin6_addr, ip.bytes, sizeof to.v6.sin6_addr);
    if (endpoint_check_zone(&to, scope, host, err) < 0)
        return -1;
    return write_attribute(w, f->attr, &to.v6, sizeof to.v6, err);
}

int write_endpoint(struct writer *w, const struct field *f, const struct value *v,
                   struct error *err) {
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct address ip;
    char host[ADDRESS_TEXT_MAX];
    int64_t port;
    if (!split(v, host, &port))
        return refuse_endpoint(v, err);
    if (strchr(host, ':'))
        return write_ipv6(w, f, host, port, err);
    if (address_parse(host, AF_INET, &ip, err) < 0)
        return -1;
    to.sin_port = htons((uint16_t)port);
    memcpy(&to.sin_addr, ip.bytes, sizeof to.sin_addr);
    return write_attribute(w, f->attr, &to, sizeof to, err);
}

static void show_ipv6(const struct reader *r, const struct sockaddr_in6 *from, struct value *v) {
    char host[ADDRESS_TEXT_MAX], device[16] = "";
    const char *name =
        r->nl && from->sin6_scope_id ? netlink_name(r->nl, (int)from->sin6_scope_id, device) : NULL;
    address_format(AF_INET6, &from->sin6_addr, host);
    snprintf(v->buffer, sizeof v->buffer, "[%s%s%.15s]:%u", host, name ? "%" : "", name ? name : "",
             ntohs(from->sin6_port));
}

bool read_endpoint(const struct reader *r, const struct field *f, struct value *v) {
    const struct nlattr *attr = find_attribute(r, f);
    union endpoint from = { 0 };
    char host[ADDRESS_TEXT_MAX];
    size_t size = attr ? mnl_attr_get_payload_len(attr) : 0;
    if (size < sizeof from.v4)
        return false;
    memcpy(&from, mnl_attr_get_payload(attr), size < sizeof from ? size : sizeof from);
    if (from.any.sa_family == AF_INET6 && size >= sizeof from.v6)
        show_ipv6(r, &from.v6, v);
    else if (from.any.sa_family == AF_INET)
        snprintf(v->buffer, sizeof v->buffer, "%s:%u",
                 address_format(AF_INET, &from.v4.sin_addr, host), ntohs(from.v4.sin_port));
    else
        return false;
    return value_is_buffer(v);
}

/* --- NETWORK ---------------------------------------------------------------------------------- */

int write_network(struct writer *w, const struct field *f, const struct value *v,
                  struct error *err) {
    static const struct table table = { .name = "" };
    struct writer nest;
    struct address ip;
    if (v->type != VALUE_TEXT)
        return refuse(v, "a prefix such as \"10.0.0.0/24\"", err);
    if (prefix_parse(v->text, AF_UNSPEC, &ip, err) < 0)
        return -1;
    const uint16_t family = ip.family;
    return writer_nest(w, f, &table, &nest, err) < 0 ||
                   write_attribute(&nest, WGALLOWEDIP_A_FAMILY, &family, sizeof family, err) < 0 ||
                   write_attribute(&nest, WGALLOWEDIP_A_IPADDR, ip.bytes, address_size(ip.family),
                                   err) < 0 ||
                   write_attribute(&nest, WGALLOWEDIP_A_CIDR_MASK, &ip.prefixlen, 1, err) < 0
               ? -1
               : writer_end(&nest, err);
}

bool read_network(const struct reader *r, const struct field *f, struct value *v) {
    const struct nlattr *nest = find_attribute(r, f), *attr, *parts[WGALLOWEDIP_A_MAX + 1] = { 0 };
    char host[ADDRESS_TEXT_MAX];
    if (!nest)
        return false;
    mnl_attr_for_each_nested(attr, nest) {
        if (mnl_attr_get_type(attr) <= WGALLOWEDIP_A_MAX)
            parts[mnl_attr_get_type(attr)] = attr;
    }
    const struct nlattr *ip = parts[WGALLOWEDIP_A_IPADDR], *bits = parts[WGALLOWEDIP_A_CIDR_MASK];
    size_t size = ip ? mnl_attr_get_payload_len(ip) : 0;
    if ((size != 4 && size != 16) || !bits || !mnl_attr_get_payload_len(bits))
        return false;
    address_format(size == 4 ? AF_INET : AF_INET6, mnl_attr_get_payload(ip), host);
    snprintf(v->buffer, sizeof v->buffer, "%s/%u", host, mnl_attr_get_u8(bits));
    return value_is_buffer(v);
}
