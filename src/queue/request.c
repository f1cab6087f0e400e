#include "queue/request.h"

#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/list.h"
#include "queue/own.h"
#include "queue/receive.h"

bool
request_parse(struct request *r, const char *verb, const char *arg)
{
	static const struct {
		const char *name;
		bool with_id;
		enum request_verb verb;
	} verbs[] = {
		{ "store", false, REQUEST_STORE },
		{ "doubt", false, REQUEST_DOUBT },
		{ "list", false, REQUEST_LIST },
		{ "show", true, REQUEST_SHOW },
		{ "remove", true, REQUEST_REMOVE },
		{ "retry", true, REQUEST_RETRY },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(verb, verbs[i].name) != 0)
			continue;
		*r = (struct request){ verbs[i].verb, arg };
		return verbs[i].with_id == (arg != NULL);
	}
	return false;
}

/*
 * Whether this process has the group that owns the spool: else nothing may be promised,
 * and nothing is read. Root needs no group.
 */
static bool
has_group(void)
{
	struct stat sb;

	return stat(SPOOL_DIR, &sb) == 0 && (sb.st_gid == getegid() || getuid() == 0);
}

static bool
is_package(const struct request *r)
{
	return r->verb == REQUEST_STORE || r->verb == REQUEST_DOUBT;
}

static int
refuse(const struct request *r, struct peer *p, int code, const char *text)
{
	return is_package(r) ? code : own_refuse(p, code, text);
}

static int
serve(const struct request *r, const struct spool *spool, struct peer *p)
{
	switch (r->verb) {
	case REQUEST_STORE:
		return receive(spool, p, 'P');
	case REQUEST_DOUBT:
		return receive(spool, p, '?');
	case REQUEST_LIST:
		return list(spool, p);
	case REQUEST_SHOW:
		return own_show(spool, p, r->id);
	case REQUEST_REMOVE:
		return own_remove(spool, p, r->id);
	case REQUEST_RETRY:
		return own_retry(spool, p, r->id);
	}
	return EX_SOFTWARE;
}

int
request_serve(const struct request *r, struct peer *p)
{
	struct spool spool;
	struct error err;
	int code;

	if (!has_group())
		return refuse(
		    r, p, EX_NOPERM, "this process has not got the spool's group");
	if (spool_open(&spool, SPOOL_DIR, &err) < 0)
		return refuse(r, p, err.code, err.text);
	code = serve(r, &spool, p);
	spool_close(&spool);
	return code;
}
