/* core.file: what io lacks. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/cleanup.h"
#include "../core/pipe.h"
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

/* window(fd) -> columns and rows of that terminal; nil if it is none, or does not know */
static int terminal_window(lua_State *L) {
    struct winsize size;
    if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) < 0 || !size.ws_col)
        return 0;
    lua_pushinteger(L, size.ws_col);
    lua_pushinteger(L, size.ws_row);
    return 2;
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

/* 0, or -1 with errno: what is there already stays as it is. */
static int write_new(const char *path, const char *bytes, size_t size) {
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
    if (fd < 0)
        return -1;
    if (pipe_write_all(fd, bytes, size) == 0)
        return 0;
    int saved = errno;
    unlink(path); /* a half would be in the way of the whole */
    errno = saved;
    return -1;
}

/* script(path, text) -> true | nil, err: a new file, for all to run whom the umask lets */
static int make_script(lua_State *L) {
    struct error err;
    size_t size;
    const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &size);
    if (write_new(path, text, size) < 0) {
        error_errno(&err, errno);
        return fail(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

static const luaL_Reg functions[] = {
    { "cwd", current_directory },     { "exists", exists },
    { "is_directory", is_directory }, { "isatty", is_terminal },
    { "mkdir", make_directory },      { "script", make_script },
    { "window", terminal_window },    { NULL, NULL },
};

int open_file(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
