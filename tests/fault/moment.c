#include "moment.h"

#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "util/xalloc.h"

char *
moment_disk(const struct power *p, unsigned n)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s/disk.%u", p->scene.dir, n);
	return buf_detach(&b);
}

/* For every recipient of the case; false when it is for one of them. */
static bool
each(struct power *p, struct moment *m, struct look *disk, struct look *again,
    bool (*is)(const struct power *p, const struct moment *m,
	const struct look_name *disk, const struct look_name *server,
	const struct look_name *again))
{
	bool good = true;

	for (size_t i = 0; i < ENTRIES && p->of->entries[i] != NULL; i++) {
		char *list = xstrdup(p->of->entries[i]), *save = NULL;

		for (char *a = strtok_r(list, " ", &save); a != NULL;
		     a = strtok_r(NULL, " ", &save)) {
			if (is(p, m, look_name(disk, a), look_name(&m->server, a),
				look_name(again, a)))
				continue;
			buf_printf(p->why, "<%s>: ", a);
			good = false;
		}
		free(list);
	}
	return good;
}

/* Whether somebody had been told that the mail for this recipient is safe. */
static bool
was_told(const struct power *p, const struct moment *m, const struct look_name *it)
{
	bool told = m->over || p->of->words == NULL || m->promises >= p->of->answers;

	for (unsigned k = 0; k < m->promises; k++)
		for (size_t i = 0; i < p->promised[k].n && !told; i++)
			told = p->promised[k].names[i].waiting > 0 &&
			    strcmp(p->promised[k].names[i].addr, it->addr) == 0;
	return told;
}

/* What somebody was told is safe, is on the disk, or a server has it. */
static bool
is_kept(const struct power *p, const struct moment *m, const struct look_name *disk,
    const struct look_name *server, const struct look_name *again)
{
	unsigned accepted = p->of->unanswered > 0 ? 0 : server->accepted;

	(void)again;
	return !was_told(p, m, disk) ||
	    accepted + server->bounced + disk->waiting + disk->bouncing > 0;
}

static bool
is_bounced_first(const struct power *p, const struct moment *m,
    const struct look_name *disk, const struct look_name *server,
    const struct look_name *again)
{
	(void)p;
	(void)m;
	(void)again;
	return disk->refused == 0 || disk->bouncing + server->bounced > 0;
}

/* In the end: everybody has it who was promised it, one copy more at most. */
static bool
is_settled(const struct power *p, const struct moment *m, const struct look_name *disk,
    const struct look_name *server, const struct look_name *again)
{
	unsigned n = server->accepted + again->accepted;
	unsigned bounces = server->bounced + again->bounced;

	return n <= 2 + p->of->unanswered && bounces <= 2 &&
	    (!was_told(p, m, disk) || n + bounces > 0);
}

/* The machine comes up again, and the flusher does what is left. */
static bool
come_up(struct power *p, struct moment *m, struct look *disk)
{
	struct look again = { 0 };
	bool good = true;

	if (disk->entries > 0) {
		good = scene_flush(&p->again, p->why);
		look_store(&again, p->again.servers[0].store);
		scene_empty(p->again.servers[0].store);
	}
	if (!each(p, m, disk, &again, is_settled)) {
		buf_str(p->why, "not what it should be in the end\n");
		good = false;
	}
	if (!good)
		look_tell(&again, p->why);
	look_free(&again);
	return good;
}

static bool
judge(struct power *p, struct moment *m, struct look *disk)
{
	struct look none = { 0 };
	bool good = each(p, m, disk, &none, is_kept);

	if (!good)
		buf_str(p->why, "lost\n");
	if (!each(p, m, disk, &none, is_bounced_first)) {
		buf_str(p->why, "settled without a bounce\n");
		good = false;
	}
	if (disk->wrong.len > 0 || disk->aside > 0) {
		buf_str(p->why, "damage\n");
		good = false;
	}
	look_free(&none);
	return good;
}

static void
tell_moment(struct power *p, const struct moment *m, const struct look *disk)
{
	const struct trace_call *call = &m->call;

	look_tell(disk, p->why);
	if (call->place.task == 0)
		buf_printf(p->why, "%s: power cut at the end\n", p->of->title);
	else
		buf_printf(p->why, "%s: power cut %s %u.%u (%s: %s)\n", p->of->title,
		    call->leaving ? "after" : "before", call->place.task,
		    call->place.call, call->program, trace_name(call->nr));
}

void
moment_cut(struct power *p, struct moment *m, const struct moment *before)
{
	bool new = before == NULL || before->disk != m->disk ||
	    before->promises != m->promises || before->over != m->over;
	char *disk = moment_disk(p, m->disk);
	struct look l = { 0 };
	size_t said = p->why->len;
	bool good;

	disk_copy(disk, p->cut);
	disk_mount(p->cut, p->again.spool);
	look_spool(&l, p->again.spool);
	good = judge(p, m, &l) && (!new || come_up(p, m, &l));
	disk_unmount(p->again.spool);
	p->counts[CUTS]++;
	if (!good && p->counts[LOST]++ == 0)
		tell_moment(p, m, &l);
	else
		p->why->len = said;
	look_free(&l);
	free(disk);
}
