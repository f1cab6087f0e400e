/*
 * conf/scan.h and conf/conf.h. The input: a configuration file.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/scan.h"
#include "fuzz.h"

static size_t
count_lines(const char *text, size_t n)
{
	size_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

/* "PATH:LINE: what", or "PATH: what" about the file as a whole */
static void
check_error(const struct error *err, const char *path, size_t lines)
{
	size_t n = strlen(path);
	unsigned long line;
	char *end;

	must(err->code == EX_CONFIG, "a wrong configuration");
	must(is_clean(err->text), "in words that can be shown");
	must(strncmp(err->text, path, n) == 0 && err->text[n] == ':', "names the file");
	if (err->text[n + 1] == ' ')
		return;
	line = strtoul(err->text + n + 1, &end, 10);
	must(line >= 1 && line <= lines && strncmp(end, ": ", 2) == 0, "and the line");
}

static void
check_string(const char *s)
{
	must(s != NULL, "a string is never NULL");
	must(is_clean(s) && strpbrk(s, "$\\") == NULL, "what a string may have in it");
}

static void
check_server(const struct server *s)
{
	const char *strings[] = { s->name, s->host, s->tls_name, s->tls_ca,
		s->tls_fingerprint, s->tls_certificate, s->tls_key };

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		check_string(strings[i]);
	must(s->name[0] != '\0' && strchr(s->name, ' ') == NULL, "a name");
	must(s->host[0] != '\0' && s->tls_name[0] != '\0', "a host");
	must(s->port >= 1 && s->port <= 65535, "a port");
	must(s->priority >= 0 && s->connect_timeout > 0 && s->send_timeout > 0 &&
		s->reply_timeout > 0 && s->recipients_per_package > 0 &&
		s->in_flight > 0 && s->connections > 0,
	    "numbers in their ranges");
	must((s->tls_key[0] == '\0') == (s->tls_certificate[0] == '\0'),
	    "key and certificate together");
	must(s->tls || (s->tls_ca[0] == '\0' && s->tls_key[0] == '\0'), "TLS or none");
}

static void
check_conf(const struct conf *c)
{
	const char *strings[] = { c->path, c->hostname, c->default_domain,
		c->envelope_from, c->aliases, c->postmaster };

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		check_string(strings[i]);
	must(c->aliases[0] == '\0' || c->aliases[0] == '/', "an absolute path");
	must(c->nservers >= 1 && c->nservers <= CONF_SERVERS_MAX, "servers");
	must(c->max_message_size > 0 && c->max_header_size > 0 && c->max_recipients > 0 &&
		c->direct_timeout > 0 && c->queue_lifetime >= 60 &&
		c->delay_warning >= 0 && c->connect_delay >= 0,
	    "numbers in their ranges");
	for (size_t i = 0; i < c->nservers; i++) {
		check_server(&c->servers[i]);
		must(i == 0 || c->servers[i].priority == 0 ||
			(c->servers[i - 1].priority != 0 &&
			    c->servers[i - 1].priority <= c->servers[i].priority),
		    "servers by priority");
	}
}

/* A line in front that means nothing moves an error by one line, and changes nothing. */
static void
check_moved(const uint8_t *data, size_t size, int result, const struct error *err)
{
	static const char comment[] = "/*\n*/";
	struct buf text = { 0 };
	struct error moved;
	char *end, *moved_end;
	unsigned long line, moved_line;

	buf_str(&text, comment);
	buf_add(&text, data, size);
	must(scan_check(text.data, text.len, "file", &moved) == result, "as without it");
	buf_free(&text);
	if (result == 0)
		return;
	line = strtoul(err->text + strlen("file:"), &end, 10);
	moved_line = strtoul(moved.text + strlen("file:"), &moved_end, 10);
	must(moved_line == line + 1 && strcmp(end, moved_end) == 0, "one line below");
}

/* The shape of the text; clean has it without comments. Returns whether it has one. */
static bool
check_scan(struct buf *clean, const uint8_t *data, size_t size)
{
	struct error err;
	struct buf again = { 0 };
	int result;

	buf_reserve(clean, size);
	buf_add(clean, data, size);
	result = scan_check(clean->data, clean->len, "file", &err);
	check_moved(data, size, result, &err);
	if (result < 0) {
		check_error(&err, "file", count_lines((const char *)data, size));
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		char c = clean->data[i];

		must(c == (char)data[i] || c == ' ', "comments become spaces");
		must((c == '\n') == (data[i] == '\n'), "line ends stay");
		must(c != '\0' && c != '$' && c != '\\', "nothing that libconfuse reads");
	}
	buf_reserve(&again, size);
	buf_add(&again, clean->data, clean->len);
	must(scan_check(again.data, again.len, "file", &err) == 0 &&
		same_bytes(clean, &again),
	    "what was judged stays as it is");
	buf_free(&again);
	return true;
}

static int
load(struct conf *conf, const void *data, size_t size, struct error *err)
{
	int fd = file_open(data, size);
	char *path = file_path(fd);
	struct buf remarks = { 0 };
	int result = conf_load(conf, path, err);

	if (result < 0) {
		check_error(err, path, count_lines(data, size));
	} else {
		check_conf(conf);
		conf_remarks(conf, &remarks);
		buf_free(&remarks);
	}
	free(path);
	close(fd);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf clean = { 0 };
	struct conf conf, again;
	struct error err, same;
	bool shaped = check_scan(&clean, data, size);
	int result = load(&conf, data, size, &err);

	must(shaped || result < 0, "no shape, no configuration");
	if (shaped) {
		must(load(&again, clean.data, clean.len, &same) == result,
		    "comments mean nothing");
		if (result == 0)
			conf_free(&again);
		else
			must(strcmp(err.text, same.text) == 0, "nor do they move a line");
	}
	if (result == 0)
		conf_free(&conf);
	buf_free(&clean);
	return 0;
}
