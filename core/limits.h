/* The number of open files: a lab of 1000 nodes needs more than the usual soft limit of 1024. */
#pragma once

/* Raises our soft RLIMIT_NOFILE to the hard one and remembers what it was. To be called once, at
   the start; what fails is left as it is. */
void limits_raise(void);

/* Makes the table of our descriptors large enough for a large lab, as far as the limit allows. To
   be called before anybody shares it, as a thread does: the kernel would then wait some 10 ms for
   RCU each time that the table doubles. */
void limits_make_room(void);

/* The soft limit that limits_raise found; -1 if it raised nothing. */
long long limits_original(void);

/* In a child, before exec: the soft limit that limits_raise found, since select() of old programs
   does not bear a larger one. Nothing happens without limits_raise. Safe after fork. */
void limits_restore(void);
