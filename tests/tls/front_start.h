/* tests/tls/front_start.h: how tlsfront starts: its command line, its port. */
#ifndef FRONT_START_H
#define FRONT_START_H

#include <stdbool.h>

#define BUFFER 16384
#define NOWHERE (-1L)

struct front_options {
	const char *cert, *key, *to, *addr, *port_file, *log, *ca, *cipher, *then;
	const char *lowest, *highest;
	long port, lifetime, record, drip, rcvbuf, faults;
	long in, out, update, renegotiate; /* bytes; NOWHERE: never */
	bool parent, require, no_tickets, stall, help;
};

extern struct front_options o;

/* Fill o. Wrong usage ends the program; so does --help. */
void take_options(int argc, char **argv);

/* A socket that listens; its port is told as the options say. */
int listen_here(void);

/* Say what failed, and errno; exit 1. */
_Noreturn void die(const char *what);

#endif
