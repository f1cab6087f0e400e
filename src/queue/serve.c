#include "queue/serve.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/own.h"
#include "queue/request.h"

static int
find_peer(int fd, struct ucred *who)
{
	int domain = -1, type = -1;
	struct sockaddr_storage there;
	socklen_t size = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
	    domain != AF_UNIX)
		return EX_USAGE;
	size = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM)
		return EX_USAGE;
	size = sizeof(there);
	if (getpeername(fd, (struct sockaddr *)&there, &size) < 0)
		return EX_USAGE;
	size = sizeof(*who);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &size) < 0 ||
	    size != sizeof(*who) || who->uid == (uid_t)-1)
		return EX_NOPERM;
	return EX_OK;
}

/* All three ids of each kind, no other group, and no way back. */
static int
verify(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0)
		return EX_OSERR;
	for (int i = 0; i < 3; i++)
		if (u[i] != uid || g[i] != gid)
			return EX_OSERR;
	if (getgroups(0, NULL) != 0)
		return EX_OSERR;
	if (uid != 0 && setresuid(0, 0, 0) == 0)
		return EX_OSERR;
	return EX_OK;
}

static int
become(uid_t uid)
{
	struct stat spool;

	if (geteuid() != 0)
		return uid == getuid() ? EX_OK : EX_NOPERM;
	if (stat(SPOOL_DIR, &spool) < 0 || prctl(PR_SET_KEEPCAPS, 0) < 0 ||
	    setgroups(0, NULL) < 0 ||
	    setresgid(spool.st_gid, spool.st_gid, spool.st_gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return EX_NOPERM;
	prctl(PR_SET_DUMPABLE, 0); /* the system's default is back by now */
	return verify(uid, spool.st_gid);
}

/*
 * The first line, a string without its LF; what stands behind it is not taken. 1; 0 at an
 * end before the first byte; -1 with errno, EBADMSG for what is no such line.
 */
static int
read_line(struct peer *p, char line[SERVE_LINE_MAX])
{
	size_t len = 0;

	while (len < SERVE_LINE_MAX) {
		const char *data, *lf;
		ssize_t n = peer_read(p, &data);
		size_t take;

		if (n < 0 || (n == 0 && len == 0))
			return (int)n;
		take =
		    (size_t)n < SERVE_LINE_MAX - len ? (size_t)n : SERVE_LINE_MAX - len;
		lf = memchr(data, '\n', take);
		if (lf != NULL)
			take = (size_t)(lf - data) + 1;
		memcpy(line + len, data, take);
		peer_take(p, take);
		len += take;
		if (lf != NULL) {
			line[len - 1] = '\0';
			if (strlen(line) == len - 1)
				return 1;
			break;
		}
		if (n == 0)
			break;
	}
	errno = EBADMSG;
	return -1;
}

int
serve(struct peer *p, int fd)
{
	char line[SERVE_LINE_MAX], *arg;
	struct request request;
	struct ucred who;
	int code = find_peer(fd, &who);

	if (code == EX_OK)
		code = become(who.uid);
	if (code != EX_OK)
		return code;
	peer_init(p, fd, fd);
	switch (read_line(p, line)) {
	case 1:
		break;
	case 0:
		return EX_OK; /* somebody has looked whether we are there */
	default:
		return errno == EBADMSG ? own_refuse(p, EX_USAGE, "that is no request")
					: EX_IOERR;
	}
	arg = strchr(line, ' ');
	if (arg != NULL)
		*arg++ = '\0';
	if (!request_parse(&request, line, arg))
		return own_refuse(p, EX_USAGE, "that is no request");
	return request_serve(&request, p);
}
