/*
 * args.h: the command line (README.md describes it).
 */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "script.h"
#include "util/error.h"

/* What holds for the whole server. */
struct settings {
	const char *addr, *unix_path, *port_file, *store, *ledger,
	    *log; /* from argv; NULL: not given */
	uint64_t port, backlog, rcvbuf, sndbuf, once, lifetime;
	bool stdio, refuse, blackhole, parent, help;
};

int args_parse(int argc, char **argv, struct settings *settings, struct scripts *scripts,
    struct error *err);

/* The options, one a line. */
void args_help(FILE *to);

#endif
