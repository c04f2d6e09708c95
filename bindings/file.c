/* core.file: what io lacks. */
#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsh.h"

/* mkdir(path) -> true | nil, err: a directory for all to read, which may be there already */
static int make_directory(lua_State *L) {
    struct error err;
    if (mkdir(luaL_checkstring(L, 1), 0755) < 0 && errno != EEXIST) {
        error_errno(&err, errno);
        return fail(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

/* isatty(fd) -> whether it is a terminal */
static int is_terminal(lua_State *L) {
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* columns(fd) -> how wide that terminal is; nil if it is none, or does not know */
static int terminal_columns(lua_State *L) {
    struct winsize size;
    if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) < 0 || !size.ws_col)
        return 0;
    lua_pushinteger(L, size.ws_col);
    return 1;
}

/* exists(path) -> whether there is something of that name, also a symlink to nowhere */
static int exists(lua_State *L) {
    struct stat info;
    lua_pushboolean(L, lstat(luaL_checkstring(L, 1), &info) == 0);
    return 1;
}

/* is_directory(path) -> whether it is one, or a symlink to one */
static int is_directory(lua_State *L) {
    struct stat info;
    lua_pushboolean(L, stat(luaL_checkstring(L, 1), &info) == 0 && S_ISDIR(info.st_mode));
    return 1;
}

/* cwd() -> the current directory | nil, err */
static int current_directory(lua_State *L) {
    struct error err;
    char path[PATH_MAX];
    if (!getcwd(path, sizeof path)) {
        error_errno(&err, errno);
        return fail(L, &err);
    }
    lua_pushstring(L, path);
    return 1;
}

static const luaL_Reg functions[] = {
    { "columns", terminal_columns },
    { "cwd", current_directory },
    { "exists", exists },
    { "is_directory", is_directory },
    { "isatty", is_terminal },
    { "mkdir", make_directory },
    { NULL, NULL },
};

int open_file(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
