/*
 * The end of a long run, and of a full disk: what comes back after a power cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "power.h"
#include "scene.h"
#include "trace.h"
#include "work.h"

#define MANY 500  /* entries */
#define BATCH 256 /* may come back */

struct drill {
	struct scene scene, again;
	char image[512], cut[512];
	bool sabotage;
	unsigned
	    back; /* entries that came back though a server has them: most of them, */
	unsigned cuts; /* of so many cuts */
	bool wrong;
};

static const char *const fine[] = { NULL };
static const char *const mixed[] = { "--rule", "z*=Zlater", "--rule", "d*=Dno such user",
	NULL };
static const char *const after[] = { "--rule", "d*=Dno such user", NULL };

static void
begin(struct drill *d, const char *const *server)
{
	*d = (struct drill){ .sabotage = false };
	scene_begin(&d->scene, "drill");
	scene_begin(&d->again, "drill-again");
	scene_serve(&d->scene, "a", server);
	scene_serve(&d->again, "after", after);
	scene_configure(&d->scene, "a", NULL);
	scene_configure(&d->again, "after", NULL);
	snprintf(d->image, sizeof(d->image), "%s/disk", d->scene.dir);
	snprintf(d->cut, sizeof(d->cut), "%s/cut", d->scene.dir);
	disk_make(d->image);
	disk_mount(d->image, d->scene.spool);
	scene_make_spool(d->scene.spool);
}

static void
end(struct drill *d)
{
	disk_unmount(d->scene.spool);
	scene_end(&d->scene);
	scene_end(&d->again);
}

/* The machine comes up: what it finds is in l, what servers had before in seen. */
static void
cut_power(struct drill *d, struct look *l, struct look *seen)
{
	disk_copy(d->image, d->cut);
	disk_mount(d->cut, d->again.spool);
	look_spool(l, d->again.spool);
	look_store(seen, d->scene.servers[0].store);
	d->cuts++;
}

static bool
flush(struct drill *d, struct trace *t)
{
	const char *const argv[] = { scene_program(FLUSH), "--once", NULL };

	t->argv = argv;
	t->dir = d->scene.dir;
	t->out = "out";
	t->arg = d;
	t->patience = 60;
	if (trace_run(t) < 0)
		scene_die("tracing", argv[0]);
	scene_settle(&d->scene);
	return !t->hung && t->crash == 0 && WIFEXITED(t->status);
}

/* ---- 500 entries */

/* Entries that have left the queue, and are there again when the machine comes up. */
static void
count_back(struct drill *d)
{
	struct look l = { 0 }, seen = { 0 }, live = { 0 };
	unsigned back = 0;

	cut_power(d, &l, &seen);
	look_spool(&live, d->scene.spool);
	for (size_t i = 0; i < l.n; i++)
		back += l.names[i].waiting > 0 &&
		    look_name(&live, l.names[i].addr)->waiting == 0;
	if (back > d->back)
		d->back = back;
	d->wrong = d->wrong || l.wrong.len > 0;
	disk_unmount(d->again.spool);
	look_free(&l);
	look_free(&seen);
	look_free(&live);
}

/* The worst moment is right before the queue is synced. */
static enum trace_deed
before_sync(void *arg, const struct trace_call *call, int *error)
{
	struct drill *d = arg;
	bool directory = false;

	if (call->leaving || call->nr != SYS_fsync ||
	    trace_inode(call->pid, (int)call->args[0], &directory) == 0 || !directory)
		return TRACE_GO;
	count_back(d);
	*error = 0;
	return d->sabotage ? TRACE_FAIL : TRACE_GO;
}

static void
batch(bool sabotage)
{
	struct trace t = { .hook = before_sync };
	struct look l = { 0 };
	struct drill d;
	char addr[32];
	bool good;

	begin(&d, fine);
	d.sabotage = sabotage;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(addr, sizeof(addr), "k%u@x", i);
		scene_put(&d.scene, SENDER, addr);
	}
	good = flush(&d, &t);
	count_back(&d);
	scene_look(&d.scene, &l);
	good = good && WEXITSTATUS(t.status) == 0 && l.entries == 0 && l.n == MANY &&
	    !d.wrong;
	if (sabotage)
		work_tell(good && d.back > BATCH, NULL,
		    "%d entries, without fsync of the queue: %u come back", MANY, d.back);
	else
		work_tell(good && d.back > 0 && d.back <= BATCH, NULL,
		    "%d entries delivered, %u power cuts: at most %u come back", MANY,
		    d.cuts, d.back);
	look_free(&l);
	end(&d);
}

void
power_batch(bool all)
{
	const char *why;

	(void)all;
	if (!disk_possible(&why)) {
		work_skip("500 entries, and power cuts", why);
		return;
	}
	batch(false);
	batch(true);
}

/* ---- a full disk */

/* Until not one byte more fits. */
static void
fill(const struct drill *d)
{
	static const char junk[65536];
	char name[600];
	int fd;

	snprintf(name, sizeof(name), "%s/junk", d->scene.spool);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		scene_die("filling", name);
	for (size_t n = sizeof(junk); n > 0; n /= 2)
		while (write(fd, junk, n) > 0)
			;
	if (errno != ENOSPC || (fsync(fd) < 0 && errno != ENOSPC))
		scene_die("filling", name);
	close(fd);
}

/* As if a verdict had no room. */
static enum trace_deed
no_room(void *arg, const struct trace_call *call, int *error)
{
	const struct drill *d = arg;

	*error = ENOSPC;
	return d->sabotage && !call->leaving && call->nr == SYS_pwrite64 ? TRACE_FAIL
									 : TRACE_GO;
}

static bool
judge_full(struct look *l, struct look *seen, struct buf *why)
{
	const struct look_name *k1 = look_name(l, "k1@x"), *k2 = look_name(l, "k2@x");
	bool good = look_name(seen, "k1@x")->accepted == 1 &&
	    look_name(seen, "k2@x")->accepted == 1 && k1->settled == 1 &&
	    k1->waiting == 0 && k2->waiting == 0 && look_name(l, "z1@x")->waiting == 1 &&
	    look_name(l, "d1@x")->refused == 0 && look_name(l, "d1@x")->waiting == 1 &&
	    l->wrong.len == 0;

	look_tell(l, why);
	return good;
}

/* There is room again: everybody gets what is his, once. */
static bool
come_up(struct drill *d, struct look *seen, struct buf *why)
{
	struct look l = { 0 };
	char name[600];
	bool good;

	snprintf(name, sizeof(name), "%s/junk", d->again.spool);
	unlink(name);
	good = scene_flush(&d->again, why);
	look_store(&l, d->again.servers[0].store);
	good = good && look_name(&l, "z1@x")->accepted == 1 &&
	    look_name(&l, "d1@x")->bounced == 1 && look_name(&l, "k1@x")->accepted == 0 &&
	    look_name(&l, "k2@x")->accepted == 0 && look_name(seen, "d1@x")->bounced == 0;
	look_tell(&l, why);
	look_free(&l);
	return good;
}

static void
full(bool sabotage)
{
	struct trace t = { .hook = no_room };
	struct look l = { 0 }, seen = { 0 };
	struct buf why = { 0 };
	struct drill d;
	bool good, first, last = true;

	begin(&d, mixed);
	d.sabotage = sabotage;
	scene_put(&d.scene, SENDER, "k1@x z1@x d1@x");
	scene_put(&d.scene, SENDER, "k2@x");
	fill(&d);
	good = flush(&d, &t);
	cut_power(&d, &l, &seen);
	first = judge_full(&l, &seen, &why);
	if (!sabotage)
		last = come_up(&d, &seen, &why);
	disk_unmount(d.again.spool);
	if (sabotage) {
		work_tell(good && !first, good && !first ? NULL : why.data,
		    "a full disk, and verdicts that cannot be written: they are not "
		    "there");
	} else {
		work_tell(good && first, good && first ? NULL : why.data,
		    "a full disk: verdicts are on it, a refusal waits for its bounce");
		work_tell(last, last ? NULL : why.data,
		    "... and there is room again: nobody gets it twice");
	}
	look_free(&l);
	look_free(&seen);
	buf_free(&why);
	end(&d);
}

void
power_full(bool all)
{
	const char *why;

	(void)all;
	if (!disk_possible(&why)) {
		work_skip("a full disk, and power cuts", why);
		return;
	}
	full(false);
	full(true);
}
