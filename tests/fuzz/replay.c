/*
 * Feeds a fuzz target the files of its corpus, in TAP. replay_NAME takes those in
 * tests/fuzz/corpus/NAME; with arguments, those files: a find of make fuzz again, without
 * libFuzzer.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "util/file.h"

#define INPUT_MAX (1024 * 1024)

static int
is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The input stands alone in its memory, so that a sanitizer sees a read behind it. */
static void
feed(int number, const char *path)
{
	struct buf b = { 0 };
	const char *name;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data;

	must(fd >= 0 && file_read(fd, &b, INPUT_MAX) == 0, path);
	close(fd);
	data = malloc(b.len > 0 ? b.len : 1);
	must(data != NULL, "there is memory");
	memcpy(data, b.data, b.len);
	printf("# %s\n", path);
	fflush(stdout); /* if it dies, the log has which it was */
	LLVMFuzzerTestOneInput(data, b.len);
	name = strrchr(path, '/');
	printf("ok %d - %s\n", number, name != NULL ? name + 1 : path);
	free(data);
	buf_free(&b);
}

static int
feed_corpus(const char *name)
{
	const char *srcdir = getenv("srcdir");
	struct dirent **v;
	struct buf dir = { 0 };
	int n;

	buf_printf(&dir, "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".", name);
	n = scandir(dir.data, &v, is_shown, alphasort);
	must(n > 0, "the corpus is there");
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		struct buf path = { 0 };

		buf_printf(&path, "%s/%s", dir.data, v[i]->d_name);
		feed(i + 1, path.data);
		buf_free(&path);
		free(v[i]);
	}
	free(v);
	buf_free(&dir);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '_');

	if (argc == 1) {
		must(name != NULL, "the program is called replay_NAME");
		return feed_corpus(name + 1);
	}
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++)
		feed(i, argv[i]);
	return 0;
}
