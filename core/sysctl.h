/* Kernel parameters of a namespace: files below /proc/sys, which show the namespace of whoever
   opens them. Keys as sysctl(8) takes them: "net.ipv4.ip_forward", or with '/' where a name in it
   has a dot: "net/ipv4/conf/eth0.1/forwarding". */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "error.h"

/* The file of a key: "/proc/sys/net/ipv4/ip_forward". Errors: EINVAL for what can be none. */
int sysctl_path(const char *key, char path[PATH_MAX], struct error *err);

/* Reads a value, without the newline at its end, into text. ns: -1 for the one we are in.
   Errors: ENOENT for an unknown key, ENOSPC if it does not fit. */
int sysctl_read(int ns, const char *key, char *text, size_t size, struct error *err);

/* Writes a value. Errors: what the kernel says of it: EINVAL, EACCES, EROFS … */
int sysctl_write(int ns, const char *key, const char *value, struct error *err);
