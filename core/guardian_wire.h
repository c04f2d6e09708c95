/* What nsh tells its guardian, in packets (packet.h): a struct message, then the body. Private to
   guardian*.c. */
#pragma once

#include <stdint.h>

enum { MESSAGE_BODY_MAX = 1 << 16 };

/* The body, and the descriptors beside it. Those that say so are answered by a struct reply. */
enum message_kind {
    MESSAGE_HELLO,  /* nothing; a pidfd of nsh, the two ends of its bell, and perhaps one to keep
                       open. The first message; value: the guardian's own pid */
    MESSAGE_RECORD, /* bytes of undo records, which may be cut anywhere */
    MESSAGE_HOLD,   /* "ETC\0" and "NAME\0" for each descriptor. value: the number of the first one,
                       0: to be chosen, with room for count. Answered: the number, or -errno */
    MESSAGE_DOWN,   /* nothing */
    MESSAGE_DROP,   /* nothing; value: the number of a held descriptor */
    MESSAGE_SYNC,   /* nothing. Answered: 0 */
    MESSAGE_KEEP,   /* nothing */
    MESSAGE_LEND,   /* nothing; a descriptor to keep open */
    MESSAGE_LISTEN, /* the script's name; listening sockets, REGISTRY_PLACES at most */
    MESSAGE_KINDS
};

struct message {
    uint32_t kind; /* enum message_kind */
    uint32_t lab;
    int32_t value;
    uint32_t count;
};

struct reply {
    int32_t value;
};
