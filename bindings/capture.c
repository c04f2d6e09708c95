/* nsh.core.pcap: captures, packets, filters and files. A module of its own, loaded when it is first
   used: see the Makefile. */
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../core/capture/capture.h"
#include "../core/capture/dissect.h"
#include "../core/capture/flow.h"
#include "nsh.h"

#define CAPTURE "nsh.capture"
#define PACKET "nsh.packet"
#define FILTER "nsh.pcap.filter"
#define FILE_TYPE "nsh.pcap.file"

enum { LINE_MAX_SIZE = 1024 };

/* --- packets -----------------------------------------------------------------------------------
 */

struct packet {
    struct captured captured;
    struct line_context context;
    uint8_t bytes[];
};

static const struct packet *check_packet(lua_State *L, int index) {
    return luaL_checkudata(L, index, PACKET);
}

static void dissect_packet(const struct packet *packet, struct dissection *out) {
    const struct captured *captured = &packet->captured;
    dissect(captured->link, captured->bytes, captured->caplen, captured->length, out);
}

static void give_number(void *arg, const char *name, int64_t value) {
    lua_pushinteger(arg, value);
    lua_setfield(arg, -2, name);
}

static void give_boolean(void *arg, const char *name, bool value) {
    lua_pushboolean(arg, value);
    lua_setfield(arg, -2, name);
}

static void give_text(void *arg, const char *name, const char *text, size_t size) {
    lua_pushlstring(arg, text, size);
    lua_setfield(arg, -2, name);
}

static void give_open(void *arg) {
    luaL_checkstack(arg, 4, "packet");
    lua_createtable(arg, 0, 10);
}

static void give_close(void *arg, const char *name) {
    lua_setfield(arg, -2, name);
}

/* packet:fields() -> { time = seconds, length =, caplen =, dev =, ether = {…}, ip = {…}, … } */
static int packet_fields(lua_State *L) {
    static const struct packet_sink sink = { give_number, give_boolean, give_text, give_open,
                                             give_close };
    const struct packet *packet = check_packet(L, 1);
    struct dissection layers;
    dissect_packet(packet, &layers);
    lua_createtable(L, 0, 10);
    lua_pushnumber(L, (lua_Number)packet->captured.time.tv_sec +
                          (lua_Number)packet->captured.time.tv_usec / 1e6);
    lua_setfield(L, -2, "time");
    give_number(L, "length", packet->captured.length);
    give_number(L, "caplen", packet->captured.caplen);
    if (packet->context.dev[0])
        give_text(L, "dev", packet->context.dev, strlen(packet->context.dev));
    dissect_fields(&layers, &sink, L);
    return 1;
}

static void add_name(void *arg, const char *protocol, const char *field) {
    lua_State *L = arg;
    luaL_getsubtable(L, -1, protocol);
    give_boolean(L, field, true);
    lua_pop(L, 1);
}

/* names() -> { ip = { ttl = true, … }, … }: the fields that a packet may have besides those of
   packet:fields that stand in no table */
static int names(lua_State *L) {
    lua_newtable(L);
    dissect_names(add_name, L);
    return 1;
}

static int format_time(const struct timeval *time, char *out, size_t size) {
    struct tm tm;
    char clock[16];
    localtime_r(&time->tv_sec, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    return snprintf(out, size, "%s.%06ld ", clock, (long)time->tv_usec);
}

/* packet:line() -> what tcpdump -n prints of it */
static int packet_line(lua_State *L) {
    const struct packet *packet = check_packet(L, 1);
    char text[LINE_MAX_SIZE];
    struct dissection layers;
    int size = format_time(&packet->captured.time, text, sizeof text);
    dissect_packet(packet, &layers);
    dissect_line(&layers, &packet->context, text + size, sizeof text - (size_t)size);
    lua_pushstring(L, text);
    return 1;
}

/* packet:bytes() -> the packet as a string */
static int packet_bytes(lua_State *L) {
    const struct packet *packet = check_packet(L, 1);
    lua_pushlstring(L, (const char *)packet->bytes, packet->captured.caplen);
    return 1;
}

/* packet:payload() -> what the innermost protocol that nsh knows carries, as a string */
static int packet_payload(lua_State *L) {
    uint32_t size;
    struct dissection layers;
    dissect_packet(check_packet(L, 1), &layers);
    const char *bytes = (const char *)dissect_payload(&layers, &size);
    lua_pushlstring(L, bytes, size);
    return 1;
}

/* packet:link() -> how the packet begins, as open_filter and create take it */
static int packet_link(lua_State *L) {
    lua_pushinteger(L, check_packet(L, 1)->captured.link);
    return 1;
}

/* --- captures ----------------------------------------------------------------------------------
 */

struct source {
    struct capture *capture; /* NULL: closed */
    struct flows *flows;
};

static struct source *check_source(lua_State *L) {
    struct source *source = luaL_checkudata(L, 1, CAPTURE);
    if (!source->capture)
        luaL_error(L, "the capture is closed");
    return source;
}

static struct capture *check_capture(lua_State *L) {
    return check_source(L)->capture;
}

static struct source *new_source(lua_State *L) {
    struct source *source = lua_newuserdatauv(L, sizeof *source, 0);
    *source = (struct source){ 0 };
    luaL_setmetatable(L, CAPTURE);
    source->flows = flows_new();
    return source;
}

/* Leaves the value on the stack, so that a string stays where it is. */
static const char *text_option(lua_State *L, const char *key) {
    lua_getfield(L, 2, key);
    return lua_tostring(L, -1);
}

static int whole_option(lua_State *L, const char *key) {
    lua_getfield(L, 2, key);
    return (int)luaL_checkinteger(L, -1);
}

static enum capture_direction direction_option(lua_State *L) {
    static const char *const words[] = { "inout", "in", "out", NULL };
    lua_getfield(L, 2, "direction");
    return luaL_checkoption(L, -1, "inout", words);
}

/* open(netns' descriptor or -1, { dev =, filter =, snaplen =, buffer =, promiscuous =,
   direction = "inout", "in" or "out" }) -> capture. It collects from now on. */
static int open_live(lua_State *L) {
    struct error err = { 0 };
    int ns = (int)luaL_checkinteger(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct capture_options options = {
        .dev = text_option(L, "dev"),
        .filter = text_option(L, "filter"),
        .snaplen = whole_option(L, "snaplen"),
        .buffer = whole_option(L, "buffer"),
        .direction = direction_option(L),
    };
    lua_getfield(L, 2, "promiscuous");
    options.promiscuous = lua_toboolean(L, -1);
    struct source *source = new_source(L);
    source->capture = capture_open(ns, &options, &err);
    return source->capture ? 1 : fail(L, &err);
}

/* open_file(path) -> capture */
static int open_file_capture(lua_State *L) {
    struct error err = { 0 };
    const char *path = luaL_checkstring(L, 1);
    struct source *source = new_source(L);
    source->capture = capture_open_file(path, &err);
    return source->capture ? 1 : fail(L, &err);
}

static struct packet *new_packet(lua_State *L, const struct captured *captured) {
    struct packet *packet = lua_newuserdatauv(L, sizeof *packet + captured->caplen, 0);
    *packet = (struct packet){ .captured = *captured };
    memcpy(packet->bytes, captured->bytes, captured->caplen);
    packet->captured.bytes = packet->bytes;
    luaL_setmetatable(L, PACKET);
    return packet;
}

/* What only the capture knows: the name of the interface, of which a packet of "any" has the index,
   and the beginning of its connection. */
static void complete_packet(const struct source *source, struct packet *packet) {
    struct dissection layers;
    if (packet->captured.link == DLT_LINUX_SLL2 && packet->captured.caplen >= 8)
        capture_ifname(source->capture, get32(packet->bytes + 4), packet->context.dev);
    dissect_packet(packet, &layers);
    flows_follow(source->flows, &layers, &packet->context);
}

/* capture:next() -> a packet, or false if there is none now, or no more in the file */
static int next_packet(lua_State *L) {
    struct error err = { 0 };
    struct captured captured;
    const struct source *source = check_source(L);
    int got = capture_next(source->capture, &captured, &err);
    if (got < 0)
        return fail(L, &err);
    if (got == 0)
        lua_pushboolean(L, false);
    else
        complete_packet(source, new_packet(L, &captured));
    return 1;
}

/* capture:fd() -> the descriptor to poll */
static int get_fd(lua_State *L) {
    lua_pushinteger(L, capture_fd(check_capture(L)));
    return 1;
}

/* capture:down() -> whether next() must be called now and then, even if there is nothing to read */
static int get_down(lua_State *L) {
    lua_pushboolean(L, capture_is_down(check_capture(L)));
    return 1;
}

/* capture:link() -> how its packets begin */
static int get_link(lua_State *L) {
    lua_pushinteger(L, capture_link(check_capture(L)));
    return 1;
}

/* capture:room() -> how many packets the kernel may hold for it */
static int get_room(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)capture_room(check_capture(L)));
    return 1;
}

/* capture:stats() -> { received =, dropped =, if_dropped = } */
static int get_stats(lua_State *L) {
    struct error err = { 0 };
    struct capture_stats stats;
    if (capture_stats(check_capture(L), &stats, &err) < 0)
        return fail(L, &err);
    lua_createtable(L, 0, 3);
    give_number(L, "received", stats.received);
    give_number(L, "dropped", stats.dropped);
    give_number(L, "if_dropped", stats.if_dropped);
    return 1;
}

static int release_capture(lua_State *L) {
    struct source *source = luaL_checkudata(L, 1, CAPTURE);
    capture_close(source->capture);
    flows_free(source->flows);
    *source = (struct source){ 0 };
    return 0;
}

/* --- filters -----------------------------------------------------------------------------------
 */

/* open_filter(text, link) -> filter */
static int open_filter(lua_State *L) {
    struct error err = { 0 };
    const char *text = luaL_checkstring(L, 1);
    int link = (int)luaL_checkinteger(L, 2);
    struct capture_filter **slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = NULL;
    luaL_setmetatable(L, FILTER);
    *slot = capture_filter_new(text, link, &err);
    return *slot ? 1 : fail(L, &err);
}

/* filter:matches(packet) -> boolean */
static int filter_matches(lua_State *L) {
    struct capture_filter **slot = luaL_checkudata(L, 1, FILTER);
    lua_pushboolean(L, capture_filter_matches(*slot, &check_packet(L, 2)->captured));
    return 1;
}

static int release_filter(lua_State *L) {
    struct capture_filter **slot = luaL_checkudata(L, 1, FILTER);
    capture_filter_free(*slot);
    *slot = NULL;
    return 0;
}

/* --- files -------------------------------------------------------------------------------------
 */

static struct capture_file *check_file(lua_State *L) {
    struct capture_file **slot = luaL_checkudata(L, 1, FILE_TYPE);
    if (!*slot)
        luaL_error(L, "the file is closed");
    return *slot;
}

/* create(path, link) -> file */
static int create_file(lua_State *L) {
    struct error err = { 0 };
    const char *path = luaL_checkstring(L, 1);
    int link = (int)luaL_checkinteger(L, 2);
    struct capture_file **slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = NULL;
    luaL_setmetatable(L, FILE_TYPE);
    *slot = capture_file_create(path, link, &err);
    return *slot ? 1 : fail(L, &err);
}

/* file:write(packet) -> true */
static int write_packet(lua_State *L) {
    struct error err = { 0 };
    if (capture_file_write(check_file(L), &check_packet(L, 2)->captured, &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* file:flush() -> true */
static int flush_file(lua_State *L) {
    struct error err = { 0 };
    if (capture_file_flush(check_file(L), &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

static int release_file(lua_State *L) {
    struct capture_file **slot = luaL_checkudata(L, 1, FILE_TYPE);
    capture_file_close(*slot);
    *slot = NULL;
    return 0;
}

/* --- the module --------------------------------------------------------------------------------
 */

static const luaL_Reg functions[] = {
    { "open", open_live },
    { "open_file", open_file_capture },
    { "open_filter", open_filter },
    { "create", create_file },
    { "names", names },
    { NULL, NULL },
};

static const struct type {
    const char *name;
    const luaL_Reg *methods, *metamethods;
} types[] = {
    { PACKET,
      (const luaL_Reg[]){ { "fields", packet_fields },
                          { "line", packet_line },
                          { "bytes", packet_bytes },
                          { "payload", packet_payload },
                          { "link", packet_link },
                          { NULL, NULL } },
      (const luaL_Reg[]){ { NULL, NULL } } },
    { CAPTURE,
      (const luaL_Reg[]){ { "next", next_packet },
                          { "fd", get_fd },
                          { "down", get_down },
                          { "link", get_link },
                          { "room", get_room },
                          { "stats", get_stats },
                          { "close", release_capture },
                          { NULL, NULL } },
      (const luaL_Reg[]){
          { "__gc", release_capture }, { "__close", release_capture }, { NULL, NULL } } },
    { FILTER, (const luaL_Reg[]){ { "matches", filter_matches }, { NULL, NULL } },
      (const luaL_Reg[]){ { "__gc", release_filter }, { NULL, NULL } } },
    { FILE_TYPE,
      (const luaL_Reg[]){ { "write", write_packet },
                          { "flush", flush_file },
                          { "close", release_file },
                          { NULL, NULL } },
      (const luaL_Reg[]){ { "__gc", release_file }, { "__close", release_file }, { NULL, NULL } } },
};

int luaopen_nsh_core_pcap(lua_State *L);

int luaopen_nsh_core_pcap(lua_State *L) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        new_type(L, types[i].name, types[i].methods, types[i].metamethods);
    luaL_newlib(L, functions);
    lua_pushinteger(L, DLT_EN10MB);
    lua_setfield(L, -2, "ETHERNET");
    return 1;
}
