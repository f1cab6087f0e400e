#include "story.h"

#include <string.h>
#include <sys/wait.h>

void
story_tell(const struct story *story, const struct trace *t, struct buf *out)
{
	static const char *const deeds[] = {
		[TRACE_GO] = "nothing",
		[TRACE_KILL] = "killed",
		[TRACE_KILL_ALL] = "all killed",
		[TRACE_FAIL] = "failed",
	};

	buf_printf(out, "%s: ", story->title);
	if (t->at.task != 0)
		buf_printf(out, "%s%s at %u.%u (%s: %s %s)", deeds[t->deed],
		    t->after ? " after it" : "", t->at.task, t->at.call, t->what.program,
		    t->reached ? trace_name(t->what.nr) : "not reached",
		    t->path == NULL ? "" : t->path);
	if (t->at.task != 0 && t->deed == TRACE_FAIL)
		buf_printf(out, " with \"%s\"", strerror(t->error));
	if (t->hung)
		buf_str(out, "; it hangs");
	if (t->crash != 0)
		buf_printf(out, "; somebody ended by signal %d", t->crash);
	if (WIFEXITED(t->status))
		buf_printf(out, "; exit code %d\n", WEXITSTATUS(t->status));
	else
		buf_printf(out, "; ended by signal %d\n", WTERMSIG(t->status));
}
