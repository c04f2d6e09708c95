#include "endpoint.h"

#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "address.h"
#include "cleanup.h"
#include "netns.h"

static bool is_link_local(const struct in6_addr *address) {
    return IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_MC_LINKLOCAL(address);
}

static int find_zone(int ns, const char *name, uint32_t *index, struct error *err) {
    struct ifreq request = { 0 };
    if (!*name || strlen(name) >= sizeof request.ifr_name)
        return error_set(err, ENODEV, "there is no interface named \"%s\"", SHORT(name));
    strcpy(request.ifr_name, name);
    cleanup_fd int fd = netns_socket(ns, AF_INET6, SOCK_DGRAM, 0, err);
    if (fd < 0)
        return -1;
    if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
        return error_set(err, errno, "there is no interface named \"%s\"", SHORT(name));
    *index = (uint32_t)request.ifr_ifindex;
    return 0;
}

static void set_endpoint(union endpoint *out, const struct address *address) {
    *out = (union endpoint){ .any.sa_family = address->family };
    if (address->family == AF_INET)
        memcpy(&out->v4.sin_addr, address->bytes, 4);
    else
        memcpy(&out->v6.sin6_addr, address->bytes, 16);
}

int endpoint_check_zone(const union endpoint *endpoint, bool has_zone, const char *text,
                        struct error *err) {
    bool local = endpoint->any.sa_family == AF_INET6 && is_link_local(&endpoint->v6.sin6_addr);
    if (local && !has_zone)
        return error_set(err, EINVAL, "\"%s\" is link-local: name the interface, as in %s%%eth0",
                         text, text);
    if (!local && has_zone)
        return error_set(err, EINVAL, "\"%s\": only a link-local address takes an interface",
                         SHORT(text));
    return 0;
}

int endpoint_parse(int ns, const char *text, union endpoint *out, struct error *err) {
    const char *zone = strchr(text, '%');
    size_t length = zone ? (size_t)(zone - text) : strlen(text);
    char before[ADDRESS_TEXT_MAX];
    struct address address;
    bool fits = length < sizeof before; /* what does not is no address, and refused whole */
    snprintf(before, sizeof before, "%.*s", fits ? (int)length : 0, text);
    if (address_parse(fits ? before : text, zone ? AF_INET6 : AF_UNSPEC, &address, err) < 0)
        return -1;
    set_endpoint(out, &address);
    if (endpoint_check_zone(out, zone, text, err) < 0)
        return -1;
    return zone ? find_zone(ns, zone + 1, &out->v6.sin6_scope_id, err) : 0;
}

const void *endpoint_bytes(const union endpoint *endpoint) {
    return endpoint->any.sa_family == AF_INET ? (const void *)&endpoint->v4.sin_addr
                                              : (const void *)&endpoint->v6.sin6_addr;
}

/* The interface counts only where both know it: the kernel names none for global addresses. */
bool endpoint_same(const union endpoint *a, const union endpoint *b) {
    int family = a->any.sa_family;
    if (family != b->any.sa_family ||
        memcmp(endpoint_bytes(a), endpoint_bytes(b), address_size(family)) != 0)
        return false;
    return family == AF_INET || !a->v6.sin6_scope_id || !b->v6.sin6_scope_id ||
           a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}
