/*
 * fault: what happens to mail when programs are killed, system calls fail, and the power
 * goes.
 *
 *	fault kill-submit		the command and its helper, killed
 *	fault kill-flush		the flusher
 *	fault errors-submit		each of their system calls fails
 *	fault errors-flush
 *	fault power-submit		the power goes while they run
 *	fault power-flush
 *	fault power-batch		500 entries delivered, and a power cut
 *	fault power-full		verdicts on a full disk
 *	fault sync-submit		fsync(2) fails
 *	fault look SPOOL		what is in a spool: for people
 *	fault calls PROGRAM [ARG ...]	the system calls as they are counted here: for people
 *
 * FAULT_LONG=yes: at every system call, else at some. TAP on stdout.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "power.h"
#include "scene.h"
#include "story.h"
#include "sync.h"
#include "work.h"

static enum trace_deed
show(void *arg, const struct trace_call *call, int *error)
{
	(void)arg;
	(void)error;
	if (call->leaving)
		printf("%u.%u %s %s(%llx, %llx, %llx) = %lld\n", call->place.task,
		    call->place.call, call->program, trace_name(call->nr),
		    (unsigned long long)call->args[0], (unsigned long long)call->args[1],
		    (unsigned long long)call->args[2], (long long)call->result);
	return TRACE_GO;
}

static int
calls(char **argv)
{
	struct trace t = {

		.argv = (const char *const *)argv,
		.dir = ".",
		.in = "/dev/stdin",
		.out = "/dev/stderr",
		.hook = show
	};

	if (trace_run(&t) < 0)
		return 1;
	printf("status %x%s\n", (unsigned)t.status, t.hung ? ", hung" : "");
	return 0;
}

static int
look(const char *spool)
{
	struct look l = { 0 };
	struct buf out = { 0 };

	look_spool(&l, spool);
	look_tell(&l, &out);
	if (out.len > 0)
		fputs(out.data, stdout);
	buf_free(&out);
	look_free(&l);
	return 0;
}

static void
kill_submit(bool all)
{
	kill_stories(submit_stories, all);
}

static void
errors_submit(bool all)
{
	error_stories(submit_stories, all);
}

static void
kill_flush(bool all)
{
	kill_stories(flush_stories, all);
}

static void
errors_flush(bool all)
{
	error_stories(flush_stories, all);
}

static const struct {
	const char *name;
	void (*run)(bool all);
} known[] = {
	{ "errors-flush", errors_flush },
	{ "errors-submit", errors_submit },
	{ "kill-flush", kill_flush },
	{ "kill-submit", kill_submit },
	{ "power-batch", power_batch },
	{ "power-flush", power_flush },
	{ "power-full", power_full },
	{ "power-submit", power_submit },
	{ "sync-submit", sync_submit },
};

static void (*known_as(const char *name))(bool)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].run;
	return NULL;
}

static bool
all_known(char **names)
{
	while (*names != NULL && known_as(*names) != NULL)
		names++;
	return *names == NULL;
}

int
main(int argc, char **argv)
{
	const char *much = getenv("FAULT_LONG"), *why;

	if (argc == 3 && strcmp(argv[1], "look") == 0)
		return look(argv[2]);
	if (argc >= 3 && strcmp(argv[1], "calls") == 0)
		return calls(argv + 2);
	if (argc < 2 || !all_known(argv + 1)) {
		fprintf(stderr, "fault: wrong usage, see main.c\n");
		return 64;
	}
	if (!trace_possible(&why)) {
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	atexit(scene_leave);
	for (int i = 1; i < argc; i++)
		known_as(argv[i])(much != NULL && strcmp(much, "yes") == 0);
	return work_plan();
}
