/* "nsh.fd": a descriptor that Lua reads, writes and waits for. */
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../core/cleanup.h"
#include "../core/pipe.h"
#include "nsh.h"

#define FD "nsh.fd"

enum { READ_MAX = 1 << 20 };

int fail_errno(lua_State *L, int code) {
    struct error err;
    error_errno(&err, code);
    return fail(L, &err);
}

int *new_fd(lua_State *L) {
    int *slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = -1;
    luaL_setmetatable(L, FD);
    return slot;
}

int check_fd(lua_State *L, int index) {
    int fd = *(int *)luaL_checkudata(L, index, FD);
    if (fd < 0)
        luaL_error(L, "it is closed");
    return fd;
}

static int fd_close(lua_State *L) {
    close_fd(luaL_checkudata(L, 1, FD));
    return 0;
}

static int fd_fileno(lua_State *L) {
    lua_pushinteger(L, check_fd(L, 1));
    return 1;
}

/* nonblock() -> itself | nil, err. Concerns this end of the pipe only. */
static int fd_nonblock(lua_State *L) {
    if (fcntl(check_fd(L, 1), F_SETFL, O_NONBLOCK) < 0)
        return fail_errno(L, errno);
    lua_settop(L, 1);
    return 1;
}

/* read(n) -> at most n bytes, "" at the end | nil, err (EAGAIN: nothing there yet) */
static int fd_read(lua_State *L) {
    luaL_Buffer buffer;
    int fd = check_fd(L, 1);
    lua_Integer size = luaL_checkinteger(L, 2);
    luaL_argcheck(L, size > 0 && size <= READ_MAX, 2, "out of range");
    char *bytes = luaL_buffinitsize(L, &buffer, (size_t)size);
    ssize_t got = TEMP_FAILURE_RETRY(read(fd, bytes, (size_t)size));
    if (got < 0)
        return fail_errno(L, errno);
    luaL_pushresultsize(&buffer, (size_t)got);
    return 1;
}

/* write(text) -> bytes written | nil, err (EPIPE: nobody reads; EAGAIN: the pipe is full) */
static int fd_write(lua_State *L) {
    size_t size;
    int fd = check_fd(L, 1);
    const char *text = luaL_checklstring(L, 2, &size);
    ssize_t written = pipe_write(fd, text, size);
    if (written < 0)
        return fail_errno(L, errno);
    lua_pushinteger(L, written);
    return 1;
}

/* shutdown(): its other end reads the end; of a socket only */
static int fd_shutdown(lua_State *L) {
    shutdown(check_fd(L, 1), SHUT_WR);
    return 0;
}

static const luaL_Reg methods[] = {
    { "close", fd_close }, { "fileno", fd_fileno },     { "nonblock", fd_nonblock },
    { "read", fd_read },   { "shutdown", fd_shutdown }, { "write", fd_write },
    { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__gc", fd_close },
    { "__close", fd_close },
    { NULL, NULL },
};

/* No functions: others make them. */
int open_fd(lua_State *L) {
    new_type(L, FD, methods, metamethods);
    lua_newtable(L);
    return 1;
}
