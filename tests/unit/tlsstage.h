/*
 * tests/unit/tlsstage.h: what a test of TLS plays on: a directory of its own with the
 * certificates of tests/tls/certs.sh, tests/qmtpd, and tests/tls/tlsfront before it. All ends
 * with the test.
 */
#ifndef UNIT_TLSSTAGE_H
#define UNIT_TLSSTAGE_H

#include <sys/types.h>

#include "qmtp/qmtp.h"

/* set_up() makes them: 127.0.0.1 and the authority of the certificates. */
extern struct qmtp_options options;
extern struct qmtp_tls tls;

/* Of the last message. */
extern struct qmtp_package *package;
extern struct qmtp_error err;
extern char security[100];

/* Make the directory, and the certificates if want; remove it. */
void stage_make(int want);
void stage_remove(void);

/* Around each test: nothing is left of the one before. */
void set_up(void);
void tear_down(void);

/* The path of a file there; good until the eighth call from now. */
const char *at(const char *name);

/* What stands in a file: text, and not too long. Good until the next call. */
const char *content(const char *path);

/* Wait until a file has these words in it. */
void await(const char *path, const char *words);

/* Run a command of the shell with one argument, $1. Returns its exit status. */
int shell(const char *command, const char *argument);

/* Start a program, with fd as its standard input and output unless -1. */
pid_t start(const char *const *argv, int fd);

/* The program that a variable names, or this one. */
const char *program(const char *variable, const char *otherwise);

/*
 * qmtpd and tlsfront with options that stand in a string, with a blank between; returns the
 * port. They write to qmtpd.log, store/ and front.log.
 */
int start_server(const char *how);
int start_front(const char *certificate, const char *how);

/* Make package anew: "abc\n" from s@x.y to r@x.y. */
void new_package(void);

/* Send it. 0, or -1 with err. */
int deliver(void);

/* Send it: it must arrive; or fail like this, with nothing given away. */
void delivers(void);
void fails(enum qmtp_phase phase, enum qmtp_cause cause, const char *text);

/* A socket, connected to a port of loopback. */
int connect_to(int port);

/*
 * A line to a port of loopback that breaks: of what the other side sends it carries so many
 * bytes, then it ends. Serves one connection after the other, with step more bytes each
 * time. Returns its port.
 */
int start_cutter(int port, size_t bytes, size_t step);

#endif
