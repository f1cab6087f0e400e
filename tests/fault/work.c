#include "work.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

#define WORKERS 2
#define ENOUGH 5 /* failures of one worker in one case */

static unsigned told, told_failed;

struct share {
	atomic_size_t next;
	struct work_result of[WORKERS];
};

static void
work(const struct work *w, struct share *share, unsigned me)
{
	struct work_result *r = &share->of[me];
	struct buf why = { 0 };
	char name[16];
	void *world;
	size_t i;

	snprintf(name, sizeof(name), "w%u", me);
	world = w->begin(w->arg, name);
	while ((i = atomic_fetch_add(&share->next, 1)) < w->n && r->failed < ENOUGH) {
		buf_clear(&why);
		if (!w->one(world, i, &why, r->counts)) {
			r->failed++;
			if (r->failed <= 2)
				strncat(r->why, why.data,
				    sizeof(r->why) - strlen(r->why) - 1);
		}
		r->done++;
	}
	buf_free(&why);
	w->end(world);
}

static void
add(struct work_result *to, const struct work_result *from)
{
	to->done += from->done;
	to->failed += from->failed;
	for (unsigned i = 0; i < WORK_COUNTS; i++)
		to->counts[i] += from->counts[i];
	snprintf(to->why + strlen(to->why), sizeof(to->why) - strlen(to->why), "%s",
	    from->why);
}

void
work_do(const struct work *w, struct work_result *r)
{
	struct share *share = mmap(NULL, sizeof(*share), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[WORKERS];

	*r = (struct work_result){ 0 };
	if (share == MAP_FAILED)
		scene_die("mmap", "workers");
	scene_base(); /* one for all */
	fflush(stdout);
	for (unsigned i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			scene_die("fork", "workers");
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(w, share, i);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		int status = 0;

		while (waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
			;
		add(r, &share->of[i]);
		if (status != 0) {
			r->failed++;
			strncat(r->why, "a worker broke off\n",
			    sizeof(r->why) - strlen(r->why) - 1);
		}
	}
	munmap(share, sizeof(*share));
}

void
work_tell(bool good, const char *details, const char *fmt, ...)
{
	va_list ap;

	told_failed += !good;
	printf("%sok %u - ", good ? "" : "not ", ++told);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	while (details != NULL && *details != '\0') {
		size_t n = strcspn(details, "\n");

		printf("#   %.*s\n", (int)n, details);
		details += n + (details[n] == '\n');
	}
	fflush(stdout);
}

void
work_skip(const char *what, const char *reason)
{
	printf("ok %u - %s # SKIP %s\n", ++told, what, reason);
}

int
work_plan(void)
{
	printf("1..%u\n", told);
	return told_failed == 0 ? 0 : 1;
}
