/*
 * fault/scene.h: a directory in which the programs run: a spool, a configuration, and
 * servers (tests/qmtpd). Whatever fails here ends the program: it is about the tests, not
 * about what they test.
 */
#ifndef FAULT_SCENE_H
#define FAULT_SCENE_H

#include <stdbool.h>
#include <sys/types.h>

#include "look.h"
#include "util/buf.h"

#define SCENE_SERVERS 4
#define SCENE_PATIENCE 20000 /* milliseconds */
#define SENDER "s@lab.example"

/* The programs, from the environment ($SENDMAIL ...); absolute. */
enum scene_program { SENDMAIL, QUEUE, FLUSH, QMTPD, STAGE, SCENE_PROGRAMS };
const char *scene_program(enum scene_program which);

struct scene_server {
	char *name, *store, *log, *conf;
	pid_t pid;
	int port;
	long seen; /* bytes of the log, and in them: */
	unsigned connects, ends;
};

struct scene {
	char *dir;   /* absolute */
	char *spool; /* in it */
	struct scene_server servers[SCENE_SERVERS];
	size_t n;
	pid_t log;
};

/* Where scenes are made: in memory, where that is possible. Removed by scene_leave(). */
const char *scene_base(void);
void scene_leave(void);

void scene_begin(struct scene *s, const char *name);
void scene_end(struct scene *s);

/* Directories of a spool. */
void scene_make_spool(const char *path);

/*
 * A server: options of tests/qmtpd, NULL ends them. The configuration names the servers
 * whose names are in "order", in that order: "a b".
 */
void scene_serve(struct scene *s, const char *name, const char *const *options);
void scene_stop(struct scene *s, const char *name);
void scene_configure(struct scene *s, const char *order, const char *more);

/* A file in the scene's directory. */
void scene_file(const struct scene *s, const char *name, const char *text);

/* Empty the spool and the stores; one directory. */
void scene_clean(struct scene *s);
void scene_empty(const char *dir);

/* Put a message into the spool: sender, recipients separated by blanks. */
void scene_put(struct scene *s, const char *sender, const char *rcpts);

/* Until the servers have seen the end of all that reached them. */
void scene_settle(struct scene *s);

/*
 * Run a program (at most 20 s). Its exit code, 128 + a signal, or -1: it hung, and was
 * killed. in, out: files in the directory, or NULL.
 */
int scene_run(struct scene *s, const char *const *argv, const char *in, const char *out);

/*
 * The flusher, until the queue is empty: at most five times, all made due before each.
 * false: it is not empty; why says more.
 */
bool scene_flush(struct scene *s, struct buf *why);

/* The spool and all stores. */
void scene_look(struct scene *s, struct look *l);

/* DIR/NAME; the caller frees it. */
char *scene_path(const char *dir, const char *name);
void scene_make_dir(const char *dir, const char *name);

/* Start a program in the scene's directory; wait for a file to be there; end a process. */
pid_t scene_start(
    const struct scene *s, const char *const *argv, const char *in, const char *out);
void scene_await_file(const char *file);
void scene_kill(pid_t *pid);

/* Ends the program. */
void scene_die(const char *what, const char *which) __attribute__((noreturn));

#endif
