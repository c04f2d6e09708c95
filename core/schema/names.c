#include "names.h"

#include <glob.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 4096, LONGEST = 63 }; /* entries of a list; bytes of a name, as iproute2 reads them */

static const struct word own_tables[] = {
    { RT_TABLE_MAIN, "main" },
    { RT_TABLE_LOCAL, "local" },
    { RT_TABLE_DEFAULT, "default" },
    { RT_TABLE_UNSPEC, "all" },
    { 0 },
};

static const struct word own_protocols[] = {
    { 0, "unspec" },    { 1, "redirect" }, { 2, "kernel" }, { 3, "boot" },   { 4, "static" },
    { 8, "gated" },     { 9, "ra" },       { 10, "mrt" },   { 11, "zebra" }, { 12, "bird" },
    { 13, "dnrouted" }, { 14, "xorp" },    { 15, "ntk" },   { 16, "dhcp" },  { 18, "keepalived" },
    { 42, "babel" },    { 99, "openr" },   { 186, "bgp" },  { 187, "isis" }, { 188, "ospf" },
    { 189, "rip" },     { 192, "eigrp" },  { 0 },
};

static const struct word own_scopes[] = {
    { RT_SCOPE_UNIVERSE, "global" }, { RT_SCOPE_SITE, "site" },       { RT_SCOPE_LINK, "link" },
    { RT_SCOPE_HOST, "host" },       { RT_SCOPE_NOWHERE, "nowhere" }, { 0 },
};

static const struct word own_realms[] = { { 0, "cosmos" }, { 0 } };
static const struct word own_groups[] = { { 0, "default" }, { 0 } };
static const struct word own_addr_protocols[] = {
    { 0, "unspec" }, { 1, "kernel_lo" }, { 2, "kernel_ra" }, { 3, "kernel_ll" }, { 0 },
};
static const struct word own_tos[] = { { 0, "default" }, { 0 } };

struct names table_names = { "rt_tables", own_tables };
struct names protocol_names = { "rt_protos", own_protocols };
struct names scope_names = { "rt_scopes", own_scopes };
struct names realm_names = { "rt_realms", own_realms };
struct names group_names = { "group", own_groups };
struct names addr_protocol_names = { "rt_addrprotos", own_addr_protocols };
struct names tos_names = { "rt_dsfield", own_tos };

/* --- the files -------------------------------------------------------------------------------- */

static size_t count_words(const struct word *words) {
    size_t count = 0;
    while (words[count].name)
        count++;
    return count;
}

static bool is_own(const struct names *names, const char *name) {
    for (const struct word *word = names->own; word->name; word++)
        if (word->name == name)
            return true;
    return false;
}

/* The file has the last word, but for 0: that is what no table and no protocol is. */
static void add(struct names *names, size_t *count, unsigned number, const char *name) {
    size_t i = 0;
    while (i < *count && names->all[i].value != number)
        i++;
    if (i == MOST || (number == 0 && i < *count))
        return;
    char *copy = strdup(name);
    if (!copy)
        return;
    if (i < *count && !is_own(names, names->all[i].name))
        free((char *)names->all[i].name);
    names->all[i] = (struct word){ number, copy };
    *count += i == *count;
}

/* lib/rt_names.c, fread_id_name: "0x10 name" or "16 name"; what is no such line is passed over. */
static void read_names(struct names *names, size_t *count, const char *path) {
    FILE *file = fopen(path, "re");
    char line[512], name[LONGEST + 1];
    unsigned number;
    if (!file)
        return;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "0x%x %63[^ \t\n#]", &number, name) == 2 ||
            sscanf(line, "%u %63[^ \t\n#]", &number, name) == 2)
            add(names, count, number, name);
    fclose(file);
}

static void read_directory(struct names *names, size_t *count, const char *root) {
    char pattern[96];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/%s.d/*.conf", root, names->file);
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_names(names, count, found.gl_pathv[i]);
    globfree(&found);
}

static void read_all(struct names *names, size_t *count) {
    static const char *const roots[] = { "/usr/share/iproute2", "/etc/iproute2" };
    char path[96];
    snprintf(path, sizeof path, "%s/%s", roots[1], names->file);
    if (access(path, R_OK) < 0)
        snprintf(path, sizeof path, "%s/%s", roots[0], names->file);
    read_names(names, count, path);
    for (size_t i = 0; i < 2; i++)
        read_directory(names, count, roots[i]);
}

const struct word *load_names(struct names *names) {
    size_t count = count_words(names->own);
    if (names->all)
        return names->all;
    names->all = calloc(MOST + 1, sizeof *names->all);
    if (!names->all)
        return names->own;
    memcpy(names->all, names->own, count * sizeof *names->own);
    read_all(names, &count);
    return names->all;
}

const struct word *words_of(const struct field *f) {
    return f->meaning == NAMED ? load_names((struct names *)f->of) : f->of;
}
