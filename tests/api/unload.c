/*
 * unload.c: the library is loaded, looks up a name, and is closed while the resolver still
 * hangs; then the resolver comes back, into what must still be there.
 *
 *	unload LIBRARY
 *
 * Exit code: 0, or the number of what went wrong.
 */
#include <qmtp.h>

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t hanging = PTHREAD_MUTEX_INITIALIZER;

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **list)
{
	(void)host;
	(void)service;
	(void)list;
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	pthread_mutex_lock(&hanging);
	pthread_mutex_unlock(&hanging);
	return EAI_AGAIN;
}

static int
threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = -2; /* "." and ".." */

	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

int
main(int argc, char *argv[])
{
	struct qmtp_session *(*make)(const struct qmtp_options *, struct qmtp_error *);
	void (*end)(struct qmtp_session *);
	const struct qmtp_options options = { .host = "server.example" };
	struct qmtp_session *s;
	struct qmtp_error err;
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;

	if (library == NULL)
		return 1;
	*(void **)&make = dlsym(library, "qmtp_session_new");
	*(void **)&end = dlsym(library, "qmtp_session_free");
	if (make == NULL || end == NULL)
		return 2;
	pthread_mutex_lock(&hanging);
	s = make(&options, &err);
	if (s == NULL)
		return 3;
	end(s);
	if (threads() != 2)
		return 4;
	dlclose(library);
	pthread_mutex_unlock(&hanging);
	for (int i = 0; i < 30000 && threads() > 1; i++)
		usleep(1000);
	return threads() == 1 ? 0 : 5;
}
