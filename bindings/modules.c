#include "modules.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "embedded.h"

static const struct embedded *find_embedded(const char *name) {
    for (const struct embedded *module = embedded; module->name; module++)
        if (!strcmp(module->name, name))
            return module;
    return NULL;
}

static int search_embedded(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    const struct embedded *module = find_embedded(name);
    if (!module || !module->size) {
        lua_pushfstring(L, "no built-in module '%s'", name);
        return 1;
    }
    if (luaL_loadbufferx(L, (const char *)module->code, module->size, name, "b") != LUA_OK)
        return lua_error(L);
    lua_pushliteral(L, "built in");
    return 2;
}

/* --- nsh.core.pcap, which is not built in: libpcap pulls in ten libraries -----------------------
 */

/* Of a program that is installed, in the sources, and built with sanitizers. */
static const char *const places[] = {
    "../lib/lua/5.4/nsh/core/pcap.so",
    "build/plain/nsh/core/pcap.so",
    "../nsh/core/pcap.so",
};

/* The path of the program; "" if it cannot be told. */
static void find_program(char path[PATH_MAX]) {
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = '\0';
}

/* Its folder, with a "/" at its end. */
static void find_folder(char folder[PATH_MAX]) {
    find_program(folder);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[1] = '\0';
}

/* Pushes the path of the first that is there, else the one where it should be. */
static void push_path(lua_State *L) {
    char folder[PATH_MAX];
    find_folder(folder);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *path = lua_pushfstring(L, "%s%s", folder, places[i]);
        if (access(path, R_OK) == 0)
            return;
        lua_pop(L, 1);
    }
    lua_pushfstring(L, "%s%s", folder, places[0]);
}

static int open_pcap(lua_State *L) {
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "loadlib");
    push_path(L);
    lua_pushliteral(L, "luaopen_nsh_core_pcap");
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2))
        return lua_error(L);
    lua_pop(L, 1);
    lua_call(L, 0, 1);
    return 1;
}

/* --- nsh.core.program: a string ------------------------------------------------------------------
 */

static int open_program(lua_State *L) {
    char path[PATH_MAX];
    find_program(path);
    lua_pushstring(L, path);
    return 1;
}

const char *embedded_text(const char *name) {
    const struct embedded *file = find_embedded(name);
    return file ? file->source : NULL;
}

/* --- nsh.core.source: a function -----------------------------------------------------------------
 */

/* source(name) -> the text of a module that is built in, or nil */
static int module_source(lua_State *L) {
    lua_pushstring(L, embedded_text(luaL_checkstring(L, 1)));
    return 1;
}

static int open_source(lua_State *L) {
    lua_pushcfunction(L, module_source);
    return 1;
}

/* --- all of them --------------------------------------------------------------------------------
 */

int luaopen_nsh_core(lua_State *L);
int open_readline(lua_State *L);

static const luaL_Reg preloaded[] = {
    { "nsh.core", luaopen_nsh_core },   { "nsh.core.readline", open_readline },
    { "nsh.core.pcap", open_pcap },     { "nsh.core.program", open_program },
    { "nsh.core.source", open_source }, { NULL, NULL },
};

/* The searcher stands behind package.preload, before the file system: "nsh.*" is what is built in.
 */
void add_modules(lua_State *L) {
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, search_embedded);
    lua_rawseti(L, -2, 2);
    lua_getfield(L, -2, "preload");
    luaL_setfuncs(L, preloaded, 0);
    lua_pop(L, 3);
}
