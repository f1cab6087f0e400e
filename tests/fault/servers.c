/* The servers of a scene. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"
#include "util/clock.h"
#include "util/xalloc.h"

static int
read_port(const char *file)
{
	FILE *f = fopen(file, "re");
	int port = 0;

	if (f == NULL || fscanf(f, "%d", &port) != 1)
		scene_die("port", file);
	fclose(f);
	return port;
}

void
scene_serve(struct scene *s, const char *name, const char *const *options)
{
	struct scene_server *v = &s->servers[s->n++];
	const char *argv[32] = { scene_program(QMTPD), "--parent", "--lifetime", "1000",
		"--port-file", NULL };
	struct buf conf = { 0 };
	char *port;
	size_t n = 5;

	*v = (struct scene_server){ .name = xstrdup(name),
		.store = scene_path(s->dir, name) };
	buf_printf(&conf, "%s.log", v->store);
	v->log = buf_detach(&conf);
	buf_printf(&conf, "%s.port", v->store);
	port = buf_detach(&conf);
	unlink(port);
	scene_make_dir(s->dir, name);
	argv[n++] = port;
	argv[n++] = "--store";
	argv[n++] = v->store;
	argv[n++] = "--log";
	argv[n++] = v->log;
	while (options != NULL && *options != NULL && n < 31)
		argv[n++] = *options++;
	v->pid = scene_start(s, argv, NULL, "server.err");
	scene_await_file(port);
	v->port = read_port(port);
	buf_printf(&conf, "server \"%s\" {\nhost = \"127.0.0.1\"\nport = %d\n}\n", name,
	    v->port);
	v->conf = buf_detach(&conf);
	free(port);
}

static struct scene_server *
server(struct scene *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->servers[i].name) == len &&
		    memcmp(s->servers[i].name, name, len) == 0)
			return &s->servers[i];
	errno = ENOENT;
	scene_die("no server", name);
}

void
scene_stop(struct scene *s, const char *name)
{
	struct scene_server *v = server(s, name, strlen(name));

	scene_kill(&v->pid);
	scene_empty(v->store);
	rmdir(v->store);
	free(v->name);
	free(v->store);
	free(v->log);
	free(v->conf);
	*v = s->servers[--s->n];
}

void
scene_configure(struct scene *s, const char *order, const char *more)
{
	struct buf conf = { 0 };

	buf_str(&conf,
	    "hostname = \"host.lab.example\"\n"
	    "default-domain = \"lab.example\"\n"
	    "envelope-from = \"" SENDER "\"\n"
	    "aliases = \"\"\n"
	    "connect-delay = 60000\n");
	if (more != NULL)
		buf_str(&conf, more);
	while (*order != '\0') {
		size_t n = strcspn(order, " ");

		buf_str(&conf, server(s, order, n)->conf);
		order += n + (order[n] == ' ');
	}
	scene_file(s, "qmtp-sendmail.conf", conf.data);
	buf_free(&conf);
}

/* ---- the servers' end of it */

/* Take in what the log says. */
static void
read_log(struct scene_server *v)
{
	FILE *f = fopen(v->log, "re");
	char line[1024], event[32];

	if (f == NULL)
		return;
	fseek(f, v->seen, SEEK_SET);
	while (fgets(line, sizeof(line), f) != NULL && strchr(line, '\n') != NULL) {
		v->seen += (long)strlen(line);
		if (sscanf(line, "%*s %*s %31s", event) != 1)
			continue;
		v->connects += strcmp(event, "connect") == 0;
		v->ends += strcmp(event, "end") == 0;
	}
	fclose(f);
}

/* Whoever came before this connection has been accepted when it has. */
static bool
knock(const struct scene_server *v)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)v->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool there =
	    fd >= 0 && connect(fd, (const struct sockaddr *)&sin, sizeof(sin)) == 0;

	if (fd >= 0)
		close(fd);
	return there;
}

void
scene_settle(struct scene *s)
{
	int64_t deadline = clock_ms() + SCENE_PATIENCE;

	for (size_t i = 0; i < s->n; i++) {
		struct scene_server *v = &s->servers[i];
		unsigned before;

		read_log(v);
		before = v->connects;
		if (!knock(v))
			continue;
		while (v->connects == before || v->ends < v->connects) {
			if (clock_ms() >= deadline)
				scene_die("a server does not come to an end", v->name);
			nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
			read_log(v);
		}
	}
}
