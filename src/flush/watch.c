#include "flush/watch.h"

#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sysexits.h>
#include <unistd.h>

#define READ_SIZE 65536 /* bytes of events in one read */
#define READS 64 /* in one call: who makes events all the time must not hold us up */
#define ARRIVED (IN_MOVED_TO | IN_CREATE) /* link(2), where there is no renameat2(2) */
#define GONE (IN_MOVED_FROM | IN_DELETE)

int
watch_open(struct watch *w, const char *directory, struct error *err)
{
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return error_sys(err, EX_OSERR, directory, "beginning to watch it");
	if (inotify_add_watch(w->fd, directory, ARRIVED | GONE | IN_ATTRIB | IN_ONLYDIR) <
	    0) {
		error_sys(err, EX_OSERR, directory, "beginning to watch it");
		watch_close(w);
		return -1;
	}
	return 0;
}

static void
tell(const struct inotify_event *event,
    void (*f)(void *arg, enum watch_event event, const char *name), void *arg)
{
	if (event->len == 0)
		return; /* the directory itself */
	if ((event->mask & ARRIVED) != 0)
		f(arg, WATCH_ARRIVED, event->name);
	else if ((event->mask & IN_ATTRIB) != 0)
		f(arg, WATCH_TOUCHED, event->name);
	else if ((event->mask & GONE) != 0)
		f(arg, WATCH_GONE, event->name);
}

int
watch_read(struct watch *w,
    void (*f)(void *arg, enum watch_event event, const char *name), void *arg)
{
	_Alignas(struct inotify_event) char data[READ_SIZE];
	int r = 0;

	for (int reads = 0; w->fd >= 0 && reads < READS; reads++) {
		ssize_t n = read(w->fd, data, sizeof(data));
		const struct inotify_event *event;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			watch_close(w);
			return -1;
		}
		for (const char *at = data; at < data + n;
		     at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)(const void *)at;
			if ((event->mask & IN_Q_OVERFLOW) != 0)
				r = -1;
			if ((event->mask & (IN_IGNORED | IN_UNMOUNT)) != 0) {
				watch_close(w);
				return -1;
			}
			tell(event, f, arg);
		}
		if ((size_t)n <= sizeof(data) - sizeof(*event) - NAME_MAX - 1)
			break; /* another one would have fitted */
	}
	return r;
}

void
watch_close(struct watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
