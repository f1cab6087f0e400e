/*
 * flush/account, flush/tell, flush/last, flush/notice: what becomes of each recipient after
 * a try, on disk, and who hears of it. log.c is compiled for this test with LOG_SOCKET
 * "log.sock".
 */
#include "flush/account.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "flush/notice.h"
#include "spool/schedule.h"
#include "spool/words.h"
#include "util/log.h"
#include "util/xalloc.h"

#include "spooldir.h"
#include "suite.h"

#define ARRIVED 1000000000
#define DAY 86400
#define SLOW 60 /* seconds that a test may take, and its marks be later for it */

static const char message[] = "Subject: Lunch\nMessage-ID: <1@example.org>\n\nAt noon?\n";
static const char *const two[] = { "bob@example.net", "carol@example.com" };
static const char *const three[] = { "bob@example.net", "carol@example.com",
	"dave@example.com" };
static const char s[] = "alice@example.org";
static char postmaster[] = "postmaster@example.org";
static char root[] = "root";
static char nobody[] = "";

static struct conf conf;
static struct identity identity;
static struct removal removal;
static struct account account;
static struct account_work work;
static struct entry entry;
static struct envelope envelope;
static time_t next;

static void
set_up(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	setenv("TZ", "UTC0", 1);
	sigaction(SIGXFSZ, &ignore, NULL);
	spooldir_set_up();
	ck_assert_int_eq(
	    identity_init(&identity, "host.example.org", "example.org", NULL, &err), 0);
	conf = (struct conf){ .queue_lifetime = 5 * DAY, .postmaster = nobody };
	removal = (struct removal){ .spool = &spool };
	account = (struct account){ &conf, &spool, &removal, &identity };
	entry = (struct entry){ .fd = -1 };
	envelope = (struct envelope){ 0 };
	work = (struct account_work){ 0 };
	next = -7;
}

static void
finish(void)
{
	entry_close(&entry);
	envelope_free(&envelope);
	envelope = (struct envelope){ 0 };
	work = (struct account_work){ 0 };
}

static void
tear_down(void)
{
	finish();
	identity_free(&identity);
	spooldir_tear_down();
}

/* Open an entry for a try; its recipients have the states of the disk, and no replies. */
static void
begin(const char *id)
{
	finish();
	ck_assert_msg(entry_open(&entry, &spool, id, true, &err) == ENTRY_OK, "%s: %s",
	    id, err.text);
	envelope.sender = xstrdup(entry.sender);
	for (size_t i = 0; i < entry.n; i++) {
		char state = entry.rcpts[i].state;

		ck_assert_int_eq(
		    envelope_add(&envelope, entry.rcpts[i].addr, 10000, &err), 0);
		envelope.rcpts[i].state = state == 'K' ? RCPT_SENT
		    : state == 'D'                     ? RCPT_REFUSED
		    : state == '?'                     ? RCPT_IN_DOUBT
						       : RCPT_PENDING;
	}
}

/* The try's word on a recipient: K D Z ?. */
static void
said(size_t i, char what, const char *reply)
{
	envelope.rcpts[i].state = what == 'K' ? RCPT_SENT
	    : what == 'D'                     ? RCPT_REFUSED
	    : what == '?'                     ? RCPT_IN_DOUBT
					      : RCPT_PENDING;
	if (reply != NULL)
		envelope_reply(&envelope, i, xstrdup(reply));
}

static enum account_result
account_now(time_t after)
{
	return account_try(
	    &account, &entry, &envelope, &work, ARRIVED + after, &next, &err);
}

static enum account_result
probe_now(time_t after)
{
	return account_probe(&account, &entry, "mx1: Connection refused", &work,
	    ARRIVED + after, &next, &err);
}

static void
expect(enum account_result actual, enum account_result result)
{
	ck_assert_msg(actual == result, "%d, not %d: %s", (int)actual, (int)result,
	    actual == ACCOUNT_HELD ? err.text : "no error");
}

/* The letters of all slots, as they are on disk. */
static void
assert_slots(const struct entry *e, const char *letters)
{
	size_t n = strlen(letters);

	ck_assert_uint_eq(n, e->n + 1);
	for (size_t i = 0; i < n; i++) {
		char slot[SPOOL_SLOT];
		time_t when;

		ck_assert_int_eq(
		    pread(e->fd, slot, SPOOL_SLOT, (off_t)(e->slots + i * SPOOL_SLOT)),
		    SPOOL_SLOT);
		ck_assert_msg(spool_slot_read(slot, &when) == letters[i],
		    "slot %zu: %.10s, not %s", i, slot, letters);
	}
}

static void
assert_time(time_t when, time_t after)
{
	ck_assert_int_ge(when, ARRIVED + after);
	ck_assert_int_lt(when, ARRIVED + after + SLOW);
}

/* The id of the entry in queue/ that is none of these. */
static void
find_other(const char *known, char id[SPOOL_ID])
{
	DIR *dir = opendir(spooldir_path("queue", ""));
	struct dirent *d;

	*id = '\0';
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && strstr(known, d->d_name) == NULL) {
			ck_assert_str_eq(id, "");
			snprintf(id, SPOOL_ID, "%.*s", SPOOL_ID - 1, d->d_name);
		}
	closedir(dir);
	ck_assert_str_ne(id, "");
}

/* The id of an entry in queue/ with these words. */
static void
find_with(const char *what, char id[SPOOL_ID])
{
	DIR *dir = opendir(spooldir_path("queue", ""));
	struct dirent *d;

	*id = '\0';
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' &&
		    strstr(spooldir_text("queue", d->d_name), what) != NULL)
			snprintf(id, SPOOL_ID, "%.*s", SPOOL_ID - 1, d->d_name);
	closedir(dir);
	ck_assert_str_ne(id, "");
}

/*
 * The one entry besides the known ones is this news, byte for byte; rcpts ends with NULL.
 * The view is the envelope that it is written from.
 */
static void
assert_news(const char *known, enum dsn_kind kind, const struct envelope *view,
    const char *const *rcpts, const char *original, char id[SPOOL_ID])
{
	struct buf head = { 0 }, expected = { 0 }, actual = { 0 };
	struct dsn dsn = {
		.kind = kind,
		.until = ARRIVED + (time_t)conf.queue_lifetime,
		.identity = &identity,
		.envelope = view,
		.to = *view->sender == '\0' ? rcpts[0] : NULL,
		.head = &head,
	};
	struct entry e;

	find_other(known, id);
	ck_assert_int_eq(entry_open(&e, &spool, id, false, &err), ENTRY_OK);
	ck_assert_str_eq(e.sender, "");
	for (size_t i = 0; rcpts[i] != NULL || i < e.n; i++) {
		ck_assert_uint_lt(i, e.n);
		ck_assert_ptr_nonnull(rcpts[i]);
		ck_assert_str_eq(e.rcpts[i].addr, rcpts[i]);
		ck_assert_int_eq(e.rcpts[i].state, 'P');
		ck_assert_int_eq(e.rcpts[i].when, e.arrived);
	}
	ck_assert_int_eq(e.state, 'P');
	dsn.now = e.arrived;
	buf_str(&head, original);
	dsn_write(&expected, &dsn);
	actual.len = 0;
	ck_assert_int_eq(
	    pread(e.fd, buf_reserve(&actual, e.length), e.length, (off_t)e.message),
	    (ssize_t)e.length);
	actual.data[e.length] = '\0';
	ck_assert_str_eq(actual.data, expected.data);
	ck_assert_uint_eq(e.length, expected.len);
	entry_close(&e);
	buf_free(&head);
	buf_free(&expected);
	buf_free(&actual);
}

/* A view: n recipients with their states (P ? K D) and replies. */
static void
make_view(struct envelope *view, const char *sender, const char *const *rcpts,
    const char *states, const char *const *replies)
{
	*view = (struct envelope){ .sender = xstrdup(sender) };
	for (size_t i = 0; states[i] != '\0'; i++) {
		ck_assert_int_eq(envelope_add(view, rcpts[i], 100, &err), 0);
		view->rcpts[i].state = states[i] == 'D' ? RCPT_REFUSED
		    : states[i] == 'P'                  ? RCPT_PENDING
							: RCPT_SENT;
		if (replies[i] != NULL)
			envelope_reply(view, i, xstrdup(replies[i]));
	}
}

/* ---- K, in doubt, later ---- */

START_TEST(all_taken)
{
	char id[SPOOL_ID];

	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	begin(id);
	said(0, 'K', "mx1: ok");
	said(1, 'K', "mx1: ok");
	expect(account_now(1), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 0);
	ck_assert_uint_eq(spooldir_count("tmp"), 0);
	ck_assert_uint_eq(removal.pending, 1);
	assert_slots(&entry, "PPP"); /* nothing was marked */
	ck_assert_int_eq(next, -7);
}
END_TEST

START_TEST(each_its_own)
{
	char id[SPOOL_ID];

	spooldir_store(message, s, three, 3, 'P', ARRIVED, id);
	begin(id);
	said(0, 'K', "mx1: ok");
	said(1, '?', "mx1: no answer");
	said(2, 'Z', "mx1: later");
	expect(account_now(1000), ACCOUNT_WAITS);
	begin(id);
	assert_slots(&entry, "K?PP");
	for (size_t i = 0; i < 3; i++)
		assert_time(entry.rcpts[i].when, 1000);
	ck_assert_int_eq(entry.since, ARRIVED);
	ck_assert_int_ge(next, ARRIVED + 1500);
	ck_assert_int_lt(next, ARRIVED + 1550 + SLOW);
	/* The second try: the one in doubt is not in it. */
	said(2, 'Z', "mx1: later still");
	expect(account_now(2000), ACCOUNT_WAITS);
	begin(id);
	assert_slots(&entry, "K?PP");
	assert_time(entry.rcpts[0].when, 1000);
	assert_time(entry.rcpts[1].when, 1000);
	assert_time(entry.rcpts[2].when, 2000);
	/* The third: it is, and remains in doubt; and then it is not. */
	said(1, '?', "mx1: no answer again");
	said(2, 'K', "mx1: ok");
	expect(account_now(3000), ACCOUNT_WAITS);
	begin(id);
	assert_slots(&entry, "K?KP");
	assert_time(entry.rcpts[1].when, 3000);
	said(1, 'Z', "mx1: later");
	expect(account_now(5000), ACCOUNT_WAITS);
	begin(id);
	assert_slots(&entry, "KPKP");
	said(1, 'K', "mx1: ok");
	expect(account_now(9000), ACCOUNT_OVER);
	assert_slots(&entry, "KPKP");
	ck_assert_uint_eq(spooldir_count("queue"), 0);
}
END_TEST

/* No server heard of it: nothing is said of them, and nothing written. */
START_TEST(not_tried)
{
	char id[SPOOL_ID];
	struct stat before, after;

	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	ck_assert_int_eq(stat(spooldir_path("queue", id), &before), 0);
	begin(id);
	expect(account_now(1000), ACCOUNT_WAITS);
	ck_assert_int_eq(next, ARRIVED + 1000);
	assert_slots(&entry, "PPP");
	ck_assert_int_eq(entry.rcpts[0].when, ARRIVED);
	ck_assert_int_eq(stat(spooldir_path("queue", id), &after), 0);
	ck_assert_int_eq(before.st_size, after.st_size);
}
END_TEST

/* In doubt is in doubt, whatever is known of it. */
START_TEST(doubt_without_words)
{
	char id[SPOOL_ID];

	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	begin(id);
	said(0, '?', NULL);
	expect(account_now(1000), ACCOUNT_WAITS);
	assert_slots(&entry, "?P");
	assert_time(entry.rcpts[0].when, 1000);
}
END_TEST

/* A try in the second of the arrival is a try. */
START_TEST(within_a_second)
{
	char id[SPOOL_ID];

	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	begin(id);
	said(0, 'Z', "mx1: later");
	expect(account_now(0), ACCOUNT_WAITS);
	ck_assert_int_gt(entry.rcpts[0].when, ARRIVED);
	ck_assert_int_ge(next, ARRIVED + 61);
}
END_TEST

/* "retry" sets the mtime ahead; the try that it led to has used that up. */
START_TEST(touched_before)
{
	struct timespec t[2] = { { ARRIVED + 1003, 0 }, { ARRIVED + 1003, 0 } };
	char id[SPOOL_ID];

	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	ck_assert_int_eq(utimensat(spool.queue, id, t, 0), 0);
	begin(id);
	said(0, 'Z', "mx1: later");
	expect(account_now(1000), ACCOUNT_WAITS);
	ck_assert_int_ge(next, ARRIVED + 1500);
}
END_TEST

/* It ended between the last mark and the removal. */
START_TEST(settled_before)
{
	char id[SPOOL_ID];

	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	begin(id);
	ck_assert_int_eq(entry_mark(&entry, 0, 'K', ARRIVED + 5, &err), 0);
	ck_assert_int_eq(entry_mark(&entry, 1, 'D', ARRIVED + 5, &err), 0);
	begin(id);
	expect(account_now(10), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 0); /* and no bounce */
	ck_assert_uint_eq(spooldir_count("failed"), 0);
}
END_TEST

/* ---- refusals ---- */

START_TEST(refused)
{
	static const char *const replies[] = { NULL, "mx1: no such user (#5.1.1)", NULL };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID], token[sizeof(identity.token)];

	spooldir_store(message, s, three, 3, 'P', ARRIVED, id);
	begin(id);
	said(0, 'K', "mx1: ok");
	said(1, 'D', replies[1]);
	said(2, 'Z', "mx1: later");
	memcpy(token, identity.token, sizeof(token));
	expect(account_now(1000), ACCOUNT_WAITS);
	ck_assert_str_ne(identity.token, token);
	begin(id);
	assert_slots(&entry, "KDPP");
	assert_time(entry.rcpts[1].when, 1000);
	make_view(&view, s, three, "KDK", replies);
	assert_news(id, DSN_FAILED, &view, (const char *const[]){ s, NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	ck_assert_int_eq(strncmp(news, "3b9acd", 6), 0); /* stored then, by its id */
	envelope_free(&view);
	/* The rest goes; nobody hears of the refused one again. */
	said(2, 'K', "mx1: ok");
	expect(account_now(2000), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
}
END_TEST

START_TEST(all_refused)
{
	static const char *const replies[] = { "mx1: no", NULL };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	conf.postmaster = postmaster;
	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	begin(id);
	said(0, 'D', replies[0]);
	said(1, 'D', replies[1]);
	expect(account_now(1000), ACCOUNT_OVER);
	assert_slots(&entry, "DDP");
	make_view(&view, s, two, "DD", replies);
	assert_news("", DSN_FAILED, &view, (const char *const[]){ s, postmaster, NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	envelope_free(&view);
	ck_assert_uint_eq(removal.pending, 1);
}
END_TEST

START_TEST(refused_to_the_postmaster)
{
	static const char *const replies[] = { "mx1: no", NULL };
	static const char *const shouted[] = { "postmaster@EXAMPLE.org", NULL };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	conf.postmaster = postmaster;
	spooldir_store(message, shouted[0], two, 1, 'P', ARRIVED, id);
	begin(id);
	said(0, 'D', replies[0]);
	expect(account_now(1000), ACCOUNT_OVER);
	make_view(&view, shouted[0], two, "D", replies);
	assert_news("", DSN_FAILED, &view, shouted,
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	envelope_free(&view);
}
END_TEST

/* From <>, to somebody else: the postmaster hears of it; he has none: failed/. */
START_TEST(orphan)
{
	static const char *const replies[] = { "mx1: no" };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	conf.postmaster = root; /* qualified as every address */
	spooldir_store(message, "", two, 1, 'P', ARRIVED, id);
	begin(id);
	said(0, 'D', replies[0]);
	expect(account_now(1000), ACCOUNT_OVER);
	make_view(&view, "", two, "D", replies);
	assert_news("", DSN_FAILED, &view,
	    (const char *const[]){ "root@example.org", NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	envelope_free(&view);
	ck_assert_uint_eq(spooldir_count("failed"), 0);
}
END_TEST

START_TEST(orphan_without_postmaster)
{
	char id[SPOOL_ID], last[300];

	spooldir_store(message, "", two, 2, 'P', ARRIVED, id);
	begin(id);
	said(0, 'D', "mx1: no");
	said(1, 'Z', "mx1: later");
	expect(account_now(1000), ACCOUNT_WAITS);
	assert_slots(&entry, "DPP");
	ck_assert_uint_eq(spooldir_count("failed"), 0);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	begin(id);
	said(1, 'K', "mx1: ok");
	expect(account_now(2000), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 0);
	ck_assert_uint_eq(spooldir_list("failed", last, false), 1);
	ck_assert_str_eq(last, id);
	ck_assert_uint_eq(removal.pending, 1);
}
END_TEST

START_TEST(orphan_taken)
{
	char id[SPOOL_ID];

	spooldir_store(message, "", two, 1, 'P', ARRIVED, id);
	begin(id);
	said(0, 'K', "mx1: ok");
	expect(account_now(1000), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 0);
	ck_assert_uint_eq(spooldir_count("failed"), 0);
}
END_TEST

START_TEST(orphan_to_the_postmaster)
{
	static const char *const both[] = { "bob@example.net", "postmaster@Example.ORG" };
	static const char *const replies[] = { "mx1: no", NULL };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	conf.postmaster = postmaster;
	spooldir_store(message, "", both, 2, 'P', ARRIVED, id);
	begin(id);
	said(0, 'D', replies[0]);
	said(1, 'D', "mx1: not you");
	expect(account_now(1000), ACCOUNT_OVER);
	/* He hears of the other one, and not of himself. */
	make_view(&view, "", both, "DK", replies);
	assert_news("", DSN_FAILED, &view, (const char *const[]){ postmaster, NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	envelope_free(&view);
	ck_assert_uint_eq(spooldir_count("failed"), 1);
}
END_TEST

/* Servers that refuse everything: how many entries there are in the end. */
START_TEST(no_loops)
{
	for (int with = 0; with < 2; with++) {
		char id[SPOOL_ID];
		size_t rounds = 0;

		conf.postmaster = with ? postmaster : nobody;
		spooldir_store(message, s, three, 3, 'P', ARRIVED, id);
		for (; spooldir_count("queue") > 0; rounds++) {
			ck_assert_uint_lt(rounds, 9);
			find_other("", id);
			begin(id);
			for (size_t i = 0; i < entry.n; i++)
				said(i, 'D', "mx1: no");
			expect(account_now((time_t)rounds), ACCOUNT_OVER);
		}
		/* the mail, the bounce, and the report on that */
		ck_assert_uint_eq(rounds, with ? 3 : 2);
	}
	ck_assert_uint_eq(
	    spooldir_count("failed"), 3); /* the bounce, twice; the report */
}
END_TEST

/* ---- the original's header ---- */

/* What was put into the queue need not look like a message. */
static void
refuse_with_head(const char *original, const char *returned)
{
	static const char *const replies[] = { "mx1: no" };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	spooldir_store(original, s, two, 1, 'P', ARRIVED, id);
	begin(id);
	said(0, 'D', replies[0]);
	expect(account_now(1000), ACCOUNT_OVER);
	make_view(&view, s, two, "D", replies);
	assert_news(
	    "", DSN_FAILED, &view, (const char *const[]){ s, NULL }, returned, news);
	envelope_free(&view);
	ck_assert_int_eq(unlinkat(spool.queue, news, 0), 0);
}

START_TEST(heads)
{
	refuse_with_head("", "");
	refuse_with_head("no header here\n", "");
	refuse_with_head("\nSubject: body\n", "");
	refuse_with_head("Subject: a", "");
	refuse_with_head("Subject: a\nno field\nX: y\n", "Subject: a\n");
	refuse_with_head("A: b\r\n\tc\r\nD:\re\n\n", "A: b\n\tc\nD: e\n");
}
END_TEST

/* No more than NOTICE_HEAD_MAX of a header is read. */
START_TEST(large_head)
{
	struct buf original = { 0 };
	struct entry e;
	char id[SPOOL_ID], news[SPOOL_ID];

	while (original.len < NOTICE_HEAD_MAX + 1000)
		buf_printf(&original, "X-%070zu: y\n", original.len);
	buf_str(&original, "\nbody\n");
	spooldir_store(original.data, s, two, 1, 'P', ARRIVED, id);
	buf_free(&original);
	begin(id);
	said(0, 'D', "mx1: no");
	expect(account_now(1000), ACCOUNT_OVER);
	find_other("", news);
	ck_assert_int_eq(entry_open(&e, &spool, news, false, &err), ENTRY_OK);
	ck_assert_uint_gt(e.length, NOTICE_HEAD_MAX);
	ck_assert_uint_lt(e.length, NOTICE_HEAD_MAX + 2000);
	entry_close(&e);
}
END_TEST

START_TEST(nobody_to_send_to)
{
	struct envelope view = { .sender = nobody };
	struct notice n = {
		.spool = &spool,
		.entry = &entry,
		.dsn = { .identity = &identity, .envelope = &view },
		.to = "",
		.copy = "",
	};
	char id[SPOOL_ID], news[SPOOL_ID];

	spooldir_store(message, "", two, 1, 'P', ARRIVED, id);
	begin(id);
	ck_assert_int_eq(notice_store(&n, news, &err), -1);
	ck_assert_int_eq(err.code, 70);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
}
END_TEST

/* ---- held ---- */

static void
limit_files(rlim_t bytes)
{
	struct rlimit rl;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

/* No bounce, no D; the rest is on disk all the same. */
START_TEST(held_by_the_bounce)
{
	char id[SPOOL_ID];

	spooldir_store(message, s, three, 3, 'P', ARRIVED, id);
	begin(id);
	said(0, 'K', "mx1: ok");
	said(1, 'D', "mx1: no");
	said(2, 'Z', "mx1: later");
	limit_files(400);
	for (int i = 0; i < 2; i++) {
		expect(account_now(1000 + i), ACCOUNT_HELD);
		ck_assert_str_eq(
		    err.text, "spool: File too large while writing the message");
		assert_slots(&entry, "KPPP");
		ck_assert_uint_eq(spooldir_count("queue"), 1);
		ck_assert_uint_eq(spooldir_count("tmp"), 0);
	}
	limit_files(RLIM_INFINITY);
	expect(account_now(1100), ACCOUNT_WAITS);
	assert_slots(&entry, "KDPP");
	ck_assert_uint_eq(spooldir_count("queue"), 2);
}
END_TEST

/* The bounce is there, its D is not: it is not stored again. */
START_TEST(held_by_a_mark)
{
	char id[SPOOL_ID];
	int writable, readable;

	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	begin(id);
	said(0, 'D', "mx1: no");
	said(1, 'D', "mx1: no");
	writable = dup(entry.fd);
	readable = openat(spool.queue, id, O_RDONLY);
	ck_assert_int_ge(dup2(readable, entry.fd), 0);
	for (int i = 0; i < 3; i++) {
		expect(account_now(1000 + i), ACCOUNT_HELD);
		ck_assert_msg(strstr(err.text,
				  ": Bad file descriptor while marking a "
				  "recipient") != NULL,
		    "%s", err.text);
		assert_slots(&entry, "PPP");
		ck_assert_uint_eq(spooldir_count("queue"), 2);
	}
	ck_assert_int_ge(dup2(writable, entry.fd), 0);
	close(writable);
	close(readable);
	expect(account_now(1100), ACCOUNT_OVER);
	assert_slots(&entry, "DDP");
	ck_assert_uint_eq(spooldir_count("queue"), 1);
}
END_TEST

/*
 * A sync that failed is not repeated on the same bytes: they are written again. /dev/null
 * takes every mark and syncs none.
 */
START_TEST(held_by_a_sync)
{
	char id[SPOOL_ID];
	int real, null = open("/dev/null", O_RDWR);

	spooldir_store(message, s, three, 3, 'P', ARRIVED, id);
	begin(id);
	said(0, 'K', "mx1: ok");
	said(1, '?', "mx1: no answer");
	said(2, 'Z', "mx1: later");
	real = dup(entry.fd);
	ck_assert_int_ge(dup2(null, entry.fd), 0);
	for (int i = 0; i < 2; i++) {
		expect(account_now(1000), ACCOUNT_HELD);
		ck_assert_msg(
		    strstr(err.text, " while syncing a mark") != NULL, "%s", err.text);
	}
	ck_assert_int_ge(dup2(real, entry.fd), 0);
	assert_slots(&entry, "PPPP");
	expect(account_now(1100), ACCOUNT_WAITS);
	assert_slots(&entry, "K?PP");
	assert_time(entry.rcpts[2].when, 1100);
	close(real);
	close(null);
}
END_TEST

/* What the caller has marked is synced, too, though this call has nothing new but P. */
START_TEST(held_by_the_sync_of_others)
{
	char id[SPOOL_ID];
	int real, null = open("/dev/null", O_RDWR);

	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	begin(id);
	ck_assert_int_eq(entry_mark(&entry, 0, 'K', ARRIVED + 999, &err), 0);
	said(0, 'K', "mx1: ok");
	said(1, 'Z', "mx1: later");
	real = dup(entry.fd);
	ck_assert_int_ge(dup2(null, entry.fd), 0);
	expect(account_now(1000), ACCOUNT_HELD);
	ck_assert_int_ge(dup2(real, entry.fd), 0);
	expect(account_now(1000), ACCOUNT_WAITS);
	assert_slots(&entry, "KPP");
	close(real);
	close(null);
}
END_TEST

/* The same for D: its bounce was stored, and is the only one. */
START_TEST(held_by_the_sync_of_d)
{
	char id[SPOOL_ID];
	int real, null = open("/dev/null", O_RDWR);

	spooldir_store("\n", s, two, 2, 'P', ARRIVED, id);
	begin(id);
	entry.length = 0; /* /dev/null has no header to read */
	said(0, 'D', "mx1: no");
	said(1, 'Z', "mx1: later");
	real = dup(entry.fd);
	ck_assert_int_ge(dup2(null, entry.fd), 0);
	for (int i = 0; i < 3; i++) {
		expect(account_now(1000 + i), ACCOUNT_HELD);
		ck_assert_uint_eq(spooldir_count("queue"), 2);
	}
	ck_assert_int_ge(dup2(real, entry.fd), 0);
	assert_slots(&entry, "PPP");
	expect(account_now(1100), ACCOUNT_WAITS);
	assert_slots(&entry, "DPP");
	ck_assert_uint_eq(spooldir_count("queue"), 2);
	close(real);
	close(null);
}
END_TEST

/* What cannot leave the queue is marked at least. */
START_TEST(held_by_the_removal)
{
	struct spool closed = { -1, -1, -1 };
	char id[SPOOL_ID];

	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	begin(id);
	said(0, 'K', "mx1: ok");
	said(1, 'K', "mx1: ok");
	removal.spool = &closed;
	expect(account_now(1000), ACCOUNT_HELD);
	ck_assert_msg(
	    strstr(err.text, "while removing it from the queue") != NULL, "%s", err.text);
	assert_slots(&entry, "KKP");
	removal.spool = &spool;
	expect(account_now(1100), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 0);
}
END_TEST

START_TEST(held_by_failed)
{
	char id[SPOOL_ID];

	spooldir_store(message, "", two, 1, 'P', ARRIVED, id);
	begin(id);
	said(0, 'D', "mx1: no");
	ck_assert_int_eq(rmdir(spooldir_path("failed", "")), 0);
	expect(account_now(1000), ACCOUNT_HELD);
	ck_assert_int_eq(mkdir(spooldir_path("failed", ""), 0700), 0);
	assert_slots(&entry, "DP");
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	expect(account_now(1100), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("failed"), 1);
}
END_TEST

/*
 * A full file system: marks need no room, bounces do. As root only, who may mount: for this
 * process alone.
 */
START_TEST(full_disk)
{
	char id[SPOOL_ID], fill[4096] = "";
	struct spool full;
	int fd;

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", "", MS_REC | MS_PRIVATE, ""), 0);
	ck_assert_int_eq(
	    mount("none", spooldir_path("failed", ""), "tmpfs", 0, "size=64k"), 0);
	ck_assert_int_eq(mkdir(spooldir_path("failed", "tmp"), 0700), 0);
	ck_assert_int_eq(mkdir(spooldir_path("failed", "queue"), 0700), 0);
	ck_assert_int_eq(spool_open(&full, spooldir_path("failed", ""), &err), 0);
	spool_close(&spool);
	spool = full;
	spooldir_store(message, s, three, 3, 'P', ARRIVED, id);
	fd = open(spooldir_path("failed", "fill"), O_WRONLY | O_CREAT, 0600);
	while (write(fd, fill, sizeof(fill)) > 0)
		;
	close(fd);
	begin(id);
	said(0, 'K', "mx1: ok");
	said(1, 'D', "mx1: no");
	said(2, '?', "mx1: no answer");
	expect(account_now(1000), ACCOUNT_HELD);
	ck_assert_str_eq(
	    err.text, "spool: No space left on device while writing the message");
	assert_slots(&entry, "KP?P");
	ck_assert_int_eq(unlink(spooldir_path("failed", "fill")), 0);
	expect(account_now(1100), ACCOUNT_WAITS);
	assert_slots(&entry, "KD?P");
	finish();
	spool_close(&spool);
	ck_assert_int_eq(umount(spooldir_path("failed", "")), 0);
	ck_assert_int_eq(spool_open(&spool, spooldir, &err), 0);
}
END_TEST

/* ---- expiry ---- */

/* A failed try so long after the arrival. */
static void
fail_at(const char *id, time_t after, enum account_result result, const char *slots)
{
	begin(id);
	said(0, 'Z', "mx1: later (#4.2.2)");
	expect(account_now(after), result);
	assert_slots(&entry, slots);
}

START_TEST(expiry)
{
	static const char *const replies[] = { "mx1: later (#4.2.2)" };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	fail_at(id, 5 * DAY, ACCOUNT_WAITS, "PP");
	fail_at(id, 5 * DAY + 1, ACCOUNT_WAITS, "PE");
	ck_assert_int_eq(entry.since, ARRIVED + 5 * DAY + 1);
	ck_assert_int_ge(next, ARRIVED + 5 * DAY + 1 + EXPIRY_SECOND_TRY);
	fail_at(id, 5 * DAY + EXPIRY_SECOND_TRY, ACCOUNT_WAITS, "PE");
	ck_assert_int_eq(entry.since, ARRIVED + 5 * DAY + 1);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	fail_at(id, 5 * DAY + 1 + EXPIRY_SECOND_TRY, ACCOUNT_OVER, "DE");
	make_view(&view, s, two, "D", replies);
	assert_news("", DSN_EXPIRED, &view, (const char *const[]){ s, NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	envelope_free(&view);
}
END_TEST

/* A try that succeeds after E ends it as any other. */
START_TEST(late_success)
{
	char id[SPOOL_ID];

	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	fail_at(id, 6 * DAY, ACCOUNT_WAITS, "PE");
	begin(id);
	said(0, 'K', "mx1: ok");
	expect(account_now(7 * DAY), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 0);
}
END_TEST

/* A refusal in the last try is a refusal; in doubt is told as such; the taken one is no news. */
START_TEST(mixed_expiry)
{
	static const char *const replies[] = { "mx1: no", "mx1: no answer", "mx1: busy" };
	struct envelope view;
	char id[SPOOL_ID], first[SPOOL_ID], second[SPOOL_ID], both[2 * SPOOL_ID];

	conf.postmaster = postmaster;
	spooldir_store(message, s, three, 3, 'P', ARRIVED, id);
	begin(id);
	for (size_t i = 0; i < 3; i++)
		said(i, 'Z', "mx1: busy");
	said(1, '?', replies[1]);
	expect(account_now(6 * DAY), ACCOUNT_WAITS);
	begin(id);
	said(0, 'D', replies[0]);
	limit_files(400);
	expect(account_now(6 * DAY + EXPIRY_SECOND_TRY), ACCOUNT_HELD);
	assert_slots(&entry, "P?PE");
	limit_files(RLIM_INFINITY);
	expect(account_now(6 * DAY + EXPIRY_SECOND_TRY), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 2);
	find_with("Status: 5.0.0", first);
	find_with("Status: 4.4.7", second);
	make_view(&view, s, three, "KDD", replies);
	assert_news(first, DSN_EXPIRED, &view,
	    (const char *const[]){ s, postmaster, NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", both);
	ck_assert_str_eq(both, second);
	envelope_free(&view);
	ck_assert_ptr_null(strstr(spooldir_text("queue", first), "Status: 4"));
}
END_TEST

START_TEST(clock_back)
{
	char id[SPOOL_ID];

	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	fail_at(id, 40 * DAY, ACCOUNT_WAITS, "PE");
	/* The clock was a month ahead; now it is right. */
	fail_at(id, 1 * DAY, ACCOUNT_WAITS, "PP");
	fail_at(id, 6 * DAY, ACCOUNT_WAITS, "PE");
	fail_at(id, 7 * DAY, ACCOUNT_OVER, "DE");

	/* It was ahead, and the entry is old all the same. */
	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	fail_at(id, 40 * DAY, ACCOUNT_WAITS, "PE");
	fail_at(id, 6 * DAY, ACCOUNT_WAITS, "PE");
	ck_assert_int_eq(entry.since, ARRIVED + 6 * DAY);
	fail_at(id, 6 * DAY + EXPIRY_SECOND_TRY - 1, ACCOUNT_WAITS, "PE");
	fail_at(id, 6 * DAY + EXPIRY_SECOND_TRY, ACCOUNT_OVER, "DE");

	/* A longer life by the configuration. */
	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	fail_at(id, 6 * DAY, ACCOUNT_WAITS, "PE");
	conf.queue_lifetime = 30 * DAY;
	fail_at(id, 7 * DAY, ACCOUNT_WAITS, "PP");
}
END_TEST

/* A held expiry is judged by the time of its try, and is told once. */
START_TEST(held_expiry)
{
	char id[SPOOL_ID];
	int writable, readable;

	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	begin(id);
	said(0, 'Z', "mx1: later");
	writable = dup(entry.fd);
	readable = openat(spool.queue, id, O_RDONLY);
	dup2(readable, entry.fd);
	expect(account_now(6 * DAY), ACCOUNT_HELD);
	dup2(writable, entry.fd);
	expect(account_now(7 * DAY), ACCOUNT_WAITS); /* no second try so far */
	assert_slots(&entry, "PE");
	ck_assert_int_eq(entry.since, ARRIVED + 6 * DAY);
	ck_assert_uint_eq(spooldir_count("queue"), 1);

	close(writable);
	begin(id);
	writable = dup(entry.fd);
	dup2(readable, entry.fd);
	for (int i = 0; i < 3; i++) {
		expect(probe_now(7 * DAY + i), ACCOUNT_HELD);
		ck_assert_uint_eq(spooldir_count("queue"), 2);
	}
	dup2(writable, entry.fd);
	expect(probe_now(7 * DAY), ACCOUNT_OVER);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	close(writable);
	close(readable);
}
END_TEST

START_TEST(orphan_expiry)
{
	char id[SPOOL_ID];

	spooldir_store(message, "", two, 1, 'P', ARRIVED, id);
	fail_at(id, 6 * DAY, ACCOUNT_WAITS, "PE");
	fail_at(id, 7 * DAY, ACCOUNT_OVER, "DE");
	ck_assert_uint_eq(spooldir_count("queue"), 0);
	ck_assert_uint_eq(spooldir_count("failed"), 1);
}
END_TEST

/* ---- the log ---- */

static int log_fd = -1;

static void
open_log(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", LOG_SOCKET);
	ck_assert_int_eq(bind(log_fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	log_open("test", LOG_MAIL);
}

/* The next line of the log ends with this. */
static void
assert_logged(const char *end)
{
	char line[4096];
	ssize_t n = recv(log_fd, line, sizeof(line) - 1, 0);

	ck_assert_msg(n > 0, "nothing was logged, not %s", end);
	line[n] = '\0';
	ck_assert_msg(
	    (size_t)n >= strlen(end) && strcmp(line + (size_t)n - strlen(end), end) == 0,
	    "%s, not %s", line, end);
}

/* Of 22 addresses 20 are named; what goes to nobody is said so. */
START_TEST(logged)
{
	char id[SPOOL_ID], news[SPOOL_ID], names[22][32], line[2048];
	const char *rcpts[22];
	int home = open(".", O_RDONLY | O_DIRECTORY);
	struct buf all = { 0 };

	ck_assert_int_eq(chdir(spooldir), 0);
	open_log();
	for (size_t i = 0; i < 22; i++) {
		snprintf(names[i], sizeof(names[i]), "r%zu@example.net", i);
		rcpts[i] = names[i];
		if (i < 20)
			buf_printf(&all, "%s<%s>", i > 0 ? "," : "", names[i]);
	}
	spooldir_store(message, s, rcpts, 22, 'P', ARRIVED, id);
	begin(id);
	ck_assert_int_eq(entry_mark(&entry, 22, 'E', ARRIVED + 6 * DAY, &err), 0);
	expect(probe_now(7 * DAY), ACCOUNT_OVER);
	ck_assert_int_eq(fchdir(home), 0);
	find_other("", news);
	snprintf(line, sizeof(line),
	    ": %s: notice of expiry to=<alice@example.org>: queued as %s", id, news);
	assert_logged(line);
	snprintf(line, sizeof(line), ": %s: to=%s,... status=expired", id, all.data);
	assert_logged(line);
	ck_assert_int_eq(chdir(spooldir), 0);
	begin(news);
	said(0, 'D', "mx1: no");
	expect(account_now(0), ACCOUNT_OVER);
	snprintf(line, sizeof(line), ": %s: nobody can be told: kept in failed/", news);
	assert_logged(line);
	log_close();
	ck_assert_int_eq(unlink(LOG_SOCKET), 0);
	ck_assert_int_eq(fchdir(home), 0);
	close(home);
	close(log_fd);
	buf_free(&all);
}
END_TEST

/* ---- probes ---- */

/* Young entries are not touched when no server can be reached. */
START_TEST(probe_young)
{
	char id[SPOOL_ID], *before;

	conf.delay_warning = 2 * DAY;
	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	before = xstrdup(spooldir_text("queue", id));
	begin(id);
	expect(probe_now(2 * DAY), ACCOUNT_WAITS);
	ck_assert_int_eq(next, ARRIVED + 2 * DAY);
	ck_assert_str_eq(spooldir_text("queue", id), before);
	free(before);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
}
END_TEST

/* An old one expires; what a server said of a recipient says more than the probes. */
START_TEST(probe_old)
{
	static const char *const replies[] = { "mx1: mailbox full",
		"mx1: Connection refused", "mx1: Connection refused" };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	spooldir_store(message, s, three, 3, 'P', ARRIVED, id);
	begin(id);
	ck_assert_int_eq(entry_mark(&entry, 2, '?', ARRIVED + 2, &err), 0);
	said(0, 'Z', replies[0]);
	said(2, '?', NULL);
	expect(account_now(DAY), ACCOUNT_WAITS);
	begin(id);
	expect(probe_now(6 * DAY), ACCOUNT_WAITS);
	assert_slots(&entry, "PP?E");
	assert_time(entry.rcpts[0].when, DAY);
	ck_assert_int_eq(entry.rcpts[1].when, ARRIVED);
	begin(id);
	expect(probe_now(6 * DAY + EXPIRY_SECOND_TRY), ACCOUNT_OVER);
	make_view(&view, s, three, "DDD", replies);
	assert_news("", DSN_EXPIRED, &view, (const char *const[]){ s, NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	envelope_free(&view);
}
END_TEST

/* ---- warnings ---- */

START_TEST(warning)
{
	static const char *const replies[] = { "mx1: busy", NULL };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	conf.postmaster = postmaster; /* who has nothing to do with it */
	conf.delay_warning = 4 * 3600;
	spooldir_store(message, s, two, 2, 'P', ARRIVED, id);
	begin(id);
	said(0, 'Z', "mx1: busy");
	said(1, 'K', "mx1: ok");
	expect(account_now(4 * 3600), ACCOUNT_WAITS);
	assert_slots(&entry, "PKP");
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	begin(id);
	said(0, 'Z', "mx1: busy");
	expect(account_now(4 * 3600 + 1), ACCOUNT_WAITS);
	assert_slots(&entry, "PKW");
	assert_time(entry.since, 4 * 3600 + 1);
	make_view(&view, s, two, "PK", replies);
	assert_news(id, DSN_DELAYED, &view, (const char *const[]){ s, NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	envelope_free(&view);
	fail_at(id, DAY, ACCOUNT_WAITS, "PKW");
	begin(id);
	expect(probe_now(2 * DAY), ACCOUNT_WAITS);
	ck_assert_uint_eq(spooldir_count("queue"), 2);
	fail_at(id, 6 * DAY, ACCOUNT_WAITS, "PKE");
	ck_assert_uint_eq(spooldir_count("queue"), 2);
}
END_TEST

/* No server for hours: the probes' words are what there is to say. */
START_TEST(warning_by_probe)
{
	static const char *const replies[] = { "mx1: Connection refused" };
	struct envelope view;
	char id[SPOOL_ID], news[SPOOL_ID];

	conf.delay_warning = 4 * 3600;
	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	begin(id);
	expect(probe_now(5 * 3600), ACCOUNT_WAITS);
	assert_slots(&entry, "PW");
	make_view(&view, s, two, "P", replies);
	assert_news(id, DSN_DELAYED, &view, (const char *const[]){ s, NULL },
	    "Subject: Lunch\nMessage-ID: <1@example.org>\n", news);
	envelope_free(&view);
}
END_TEST

START_TEST(no_warning)
{
	char id[SPOOL_ID];

	conf.delay_warning = 4 * 3600;
	conf.postmaster = postmaster;
	spooldir_store(message, "", two, 1, 'P', ARRIVED, id); /* nobody to warn */
	fail_at(id, DAY, ACCOUNT_WAITS, "PP");
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	fail_at(id, 6 * DAY, ACCOUNT_WAITS, "PE");
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	conf.delay_warning = 0;
	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	fail_at(id, DAY, ACCOUNT_WAITS, "PP");
	ck_assert_uint_eq(spooldir_count("queue"), 2);
	conf.delay_warning = 4 * 3600; /* past its life there are other news */
	fail_at(id, 6 * DAY, ACCOUNT_WAITS, "PE");
	ck_assert_uint_eq(spooldir_count("queue"), 2);
}
END_TEST

/* A warning that cannot be stored holds nothing up; one whose mark cannot be written does. */
START_TEST(warning_fails)
{
	char id[SPOOL_ID];
	int writable, readable;

	conf.delay_warning = 4 * 3600;
	spooldir_store(message, s, two, 1, 'P', ARRIVED, id);
	limit_files(400);
	fail_at(id, DAY, ACCOUNT_WAITS, "PP");
	limit_files(RLIM_INFINITY);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	begin(id);
	writable = dup(entry.fd);
	readable = openat(spool.queue, id, O_RDONLY);
	dup2(readable, entry.fd);
	for (int i = 0; i < 2; i++) {
		expect(probe_now(DAY + 5000), ACCOUNT_HELD);
		ck_assert_uint_eq(spooldir_count("queue"), 2);
	}
	dup2(writable, entry.fd);
	expect(probe_now(DAY + 5000), ACCOUNT_WAITS);
	assert_slots(&entry, "PW");
	ck_assert_uint_eq(spooldir_count("queue"), 2);
	close(writable);
	close(readable);
}
END_TEST

/* ---- last words ---- */

static void
add_words(void *arg, size_t from, size_t to, const char *text, time_t when)
{
	(void)when;
	buf_printf(arg, "%zu-%zu %s|", from, to, text);
}

static void
assert_words(const char *id, const char *expected)
{
	struct buf b = { 0 };

	begin(id);
	buf_str(&b, "");
	words_read(&entry, add_words, &b);
	ck_assert_str_eq(b.data, expected);
	buf_free(&b);
}

START_TEST(words)
{
	static const char *const four[] = { "a@x.y", "b@x.y", "c@x.y", "d@x.y" };
	char id[SPOOL_ID];

	spooldir_store(message, s, four, 4, 'P', ARRIVED, id);
	begin(id);
	said(0, 'Z', "mx1: busy");
	said(1, 'Z', "mx1: busy");
	said(2, '?', "mx1: no answer");
	expect(account_now(1000), ACCOUNT_WAITS);
	assert_words(id, "0-1 mx1: busy|2-2 mx1: no answer|");
	/* What was said of those who were not tried again is still there. */
	said(0, 'Z', "mx1: no answer");
	said(1, 'K', "mx1: ok");
	said(3, 'Z', "mx1: no answer");
	expect(account_now(1100), ACCOUNT_WAITS);
	assert_words(id, "0-0 mx1: no answer|2-3 mx1: no answer|");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("account");
	TCase *t = tcase_create("account");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, SLOW);
	tcase_add_test(t, all_taken);
	tcase_add_test(t, each_its_own);
	tcase_add_test(t, not_tried);
	tcase_add_test(t, doubt_without_words);
	tcase_add_test(t, within_a_second);
	tcase_add_test(t, touched_before);
	tcase_add_test(t, settled_before);
	tcase_add_test(t, refused);
	tcase_add_test(t, all_refused);
	tcase_add_test(t, refused_to_the_postmaster);
	tcase_add_test(t, orphan);
	tcase_add_test(t, orphan_without_postmaster);
	tcase_add_test(t, orphan_taken);
	tcase_add_test(t, orphan_to_the_postmaster);
	tcase_add_test(t, no_loops);
	tcase_add_test(t, heads);
	tcase_add_test(t, large_head);
	tcase_add_test(t, nobody_to_send_to);
	tcase_add_test(t, held_by_the_bounce);
	tcase_add_test(t, held_by_a_mark);
	tcase_add_test(t, held_by_a_sync);
	tcase_add_test(t, held_by_the_sync_of_others);
	tcase_add_test(t, held_by_the_sync_of_d);
	tcase_add_test(t, held_by_the_removal);
	tcase_add_test(t, held_by_failed);
	if (geteuid() == 0)
		tcase_add_test(t, full_disk);
	tcase_add_test(t, expiry);
	tcase_add_test(t, late_success);
	tcase_add_test(t, mixed_expiry);
	tcase_add_test(t, clock_back);
	tcase_add_test(t, held_expiry);
	tcase_add_test(t, orphan_expiry);
	tcase_add_test(t, logged);
	tcase_add_test(t, probe_young);
	tcase_add_test(t, probe_old);
	tcase_add_test(t, warning);
	tcase_add_test(t, warning_by_probe);
	tcase_add_test(t, no_warning);
	tcase_add_test(t, warning_fails);
	tcase_add_test(t, words);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
