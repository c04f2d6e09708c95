/* Firewall rules are made by the program nft; what must work at the end, when no program can be
   started, is done here: deleting them, by nfnetlink. In the namespace that we are in.

   For the guardian: nothing here allocates memory or uses stdio. */
#pragma once

#include <stdint.h>

/* NFPROTO_… of "inet", "ip", "ip6", "arp", "bridge" or "netdev"; -1 for any other word. */
int nft_family(const char *word);

/* Deletes a table with all that is in it; nothing happens if there is none. -1 without a socket. */
int nft_delete_table(uint8_t family, const char *table);

/* Deletes the rules of a chain whose comment is `mark`, or begins with it and a space. -1 if they
   could not be read. */
int nft_delete_marked(uint8_t family, const char *table, const char *chain, const char *mark);
