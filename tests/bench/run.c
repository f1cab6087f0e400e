/*
 * run: what commands cost, side by side. For benchmarks.
 *
 *	run [-n TURNS] [-w WARMUP] [-a AT_ONCE] [-i FILE] [-p] [-e FILE] [-l SECONDS] [-q] [-b]
 *	    [-s COMMAND] -- NAME COMMAND [ARGUMENT]... [-- NAME COMMAND [ARGUMENT]...]...
 *
 * The commands run in turn, A B C A B C ..., TURNS times (20) after WARMUP turns that do
 * not count (2); with -a so many of each at once. They are spawned without a shell; the
 * time is from the first spawn to the last reaping. stdin is FILE (/dev/null), with -p a
 * pipe that a process of its own fills from FILE; stdout and stderr go to the file of -e
 * (/dev/null). What is not done after SECONDS (60) is killed and has failed. With -s a shell
 * runs that command before each of them, outside the time; all ends when it fails.
 *
 * One line each: median and 90 % of the wall times in ms, median of the time on the
 * processors (of one) in ms, the median of the ratios to the first
 * command's time in the same turn, the largest peak of memory in KiB (never less than this
 * program's own, which a child inherits until it execs), failures, runs. -q: no heading. -b: the
 * best wall time instead of the median.
 * Exit 1 when a run has failed, 2 when this program has.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 32
#define AT_ONCE_MAX 1000
#define PIPE_SIZE (1024 * 1024)

struct command {
	const char *name;
	char **argv;
	double *walls, *ratios,
	    *cpus;  /* [turns] ms; to the first command; ms of all together */
	double cpu; /* of this turn so far */
	long peak;  /* KiB */
	int failed, runs;
};

struct job {
	pid_t pid, feeder; /* 0: has ended, there is none */
	int in;
};

static struct {
	int turns, warmup, at_once, seconds;
	bool piped, quiet, best;
	const char *input, *output, *setup;
	int out;
	struct command commands[COMMANDS_MAX];
	int n;
} o = { .turns = 20,
	.warmup = 2,
	.at_once = 1,
	.seconds = 60,
	.input = "/dev/null",
	.output = "/dev/null" };

extern char **environ;

static _Noreturn void
broken(const char *what)
{
	perror(what);
	exit(2);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
ms(const struct timeval *t)
{
	return (double)t->tv_sec * 1e3 + (double)t->tv_usec / 1e3;
}

static _Noreturn void
feed(int to)
{
	static char data[65536];
	int from = open(o.input, O_RDONLY);
	ssize_t n;

	while ((n = read(from, data, sizeof(data))) > 0)
		for (ssize_t done = 0, w; done < n; done += w) {
			w = write(to, data + done, (size_t)(n - done));
			if (w < 0)
				_exit(1); /* it reads no more */
		}
	_exit(0);
}

static void
open_input(struct job *job)
{
	int ends[2];

	job->feeder = 0;
	if (!o.piped) {
		job->in = open(o.input, O_RDONLY | O_CLOEXEC);
		if (job->in < 0)
			broken(o.input);
		return;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		broken("pipe");
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	job->feeder = fork();
	if (job->feeder < 0)
		broken("fork");
	if (job->feeder == 0) {
		close(ends[0]);
		feed(ends[1]);
	}
	close(ends[1]);
	job->in = ends[0];
}

static void
start(struct job *job, char **argv, posix_spawnattr_t *attr)
{
	posix_spawn_file_actions_t files;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, job->in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, o.out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, o.out, STDERR_FILENO);
	errno = posix_spawn(&job->pid, argv[0], &files, attr, argv, environ);
	if (errno != 0)
		broken(argv[0]);
	posix_spawn_file_actions_destroy(&files);
}

/* Wait for one more job until the deadline; kill them all after it. Returns whether it was one. */
static bool
reap(struct command *c, struct job *jobs, double deadline)
{
	struct rusage usage;
	int status;
	pid_t pid = wait4(-1, &status, WNOHANG, &usage);

	if (pid == 0) {
		double left = deadline - now();
		struct timespec t = { .tv_sec = left > 0 ? (time_t)(left / 1e3) + 1 : 1 };
		sigset_t child;

		sigemptyset(&child);
		sigaddset(&child, SIGCHLD);
		for (int i = 0; i < o.at_once && left <= 0; i++)
			if (jobs[i].pid != 0)
				kill(jobs[i].pid, SIGKILL);
		sigtimedwait(&child, NULL, &t);
		return false;
	}
	for (int i = 0; i < o.at_once; i++) {
		if (jobs[i].feeder == pid)
			jobs[i].feeder = 0;
		if (jobs[i].pid != pid)
			continue;
		jobs[i].pid = 0;
		c->runs++;
		c->failed += status != 0;
		c->cpu += ms(&usage.ru_utime) + ms(&usage.ru_stime);
		if (usage.ru_maxrss > c->peak)
			c->peak = usage.ru_maxrss;
		return true;
	}
	return false;
}

static void
set_up(void)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char *)(uintptr_t)o.setup,
		NULL };
	pid_t pid;
	int status;

	errno = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
	if (errno != 0 || waitpid(pid, &status, 0) != pid)
		broken("/bin/sh");
	if (status != 0) {
		fprintf(stderr, "run: %s: failed\n", o.setup);
		exit(2);
	}
}

/* One command's turn. Returns the wall time. */
static double
turn(struct command *c, posix_spawnattr_t *attr)
{
	static struct job jobs[AT_ONCE_MAX];
	double begun, ended;

	if (o.setup != NULL)
		set_up();
	for (int i = 0; i < o.at_once; i++)
		open_input(&jobs[i]);
	begun = now();
	for (int i = 0; i < o.at_once; i++)
		start(&jobs[i], c->argv, attr);
	for (int left = o.at_once; left > 0;)
		left -= reap(c, jobs, begun + o.seconds * 1e3);
	ended = now();
	for (int i = 0; i < o.at_once; i++) {
		close(jobs[i].in);
		if (jobs[i].feeder != 0)
			waitpid(jobs[i].feeder, NULL, 0);
	}
	return ended - begun;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
share(double *v, double part)
{
	qsort(v, (size_t)o.turns, sizeof(*v), compare);
	return v[(int)((o.turns - 1) * part + 0.5)];
}

/* Returns whether any failed. */
static bool
print(void)
{
	bool failed = false;

	if (!o.quiet)
		printf("%-30s %10s %10s %7s %7s %9s %8s\n", "",
		    o.best ? "best ms" : "median ms", "90 % ms", "ratio", "cpu ms",
		    "peak KiB", "failed");
	for (int i = 0; i < o.n; i++) {
		struct command *c = &o.commands[i];

		for (int t = 0; t < o.turns; t++)
			c->ratios[t] = c->walls[t] / o.commands[0].walls[t];
	}
	for (int i = 0; i < o.n; i++) {
		struct command *c = &o.commands[i];
		double typical = share(c->walls, o.best ? 0 : 0.5),
		       most = share(c->walls, 0.9);

		printf("%-30s %10.2f %10.2f %7.2f %7.2f %9ld %3d/%d\n", c->name, typical,
		    most, share(c->ratios, 0.5), share(c->cpus, 0.5), c->peak, c->failed,
		    c->runs);
		failed = failed || c->failed > 0;
	}
	return failed;
}

static int
number(const char *s, int least, int most)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (*s == '\0' || *end != '\0' || n < least || n > most) {
		fprintf(
		    stderr, "run: %s is not a number from %d to %d\n", s, least, most);
		exit(64);
	}
	return (int)n;
}

static void
options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+n:w:a:i:pbe:l:qs:")) != -1) {
		switch (c) {
		case 'n':
			o.turns = number(optarg, 1, 100000);
			break;
		case 'w':
			o.warmup = number(optarg, 0, 100000);
			break;
		case 'a':
			o.at_once = number(optarg, 1, AT_ONCE_MAX);
			break;
		case 'l':
			o.seconds = number(optarg, 1, 3600);
			break;
		case 's':
			o.setup = optarg;
			break;
		case 'i':
			o.input = optarg;
			break;
		case 'e':
			o.output = optarg;
			break;
		case 'b':
			o.best = true;
			break;
		case 'p':
			o.piped = true;
			break;
		case 'q':
			o.quiet = true;
			break;
		default:
			exit(64);
		}
	}
	/* getopt has taken the first "--". */
	for (int i = optind - 1; i < argc && o.n < COMMANDS_MAX; o.n++) {
		struct command *cmd = &o.commands[o.n];

		if (strcmp(argv[i], "--") != 0 || argc - i < 3) {
			fputs("usage: run [OPTION]... -- NAME COMMAND...\n", stderr);
			exit(64);
		}
		argv[i] = NULL; /* the end of the one before */
		cmd->name = argv[i + 1];
		cmd->argv = &argv[i + 2];
		cmd->walls = calloc((size_t)o.turns, sizeof(double));
		cmd->ratios = calloc((size_t)o.turns, sizeof(double));
		cmd->cpus = calloc((size_t)o.turns, sizeof(double));
		if (cmd->walls == NULL || cmd->ratios == NULL || cmd->cpus == NULL)
			broken("memory");
		for (i += 2; i < argc && strcmp(argv[i], "--") != 0; i++)
			;
	}
}

int
main(int argc, char **argv)
{
	posix_spawnattr_t attr;
	sigset_t child, none;

	options(argc, argv);
	o.out = open(o.output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (o.out < 0)
		broken(o.output);
	sigemptyset(&none);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	for (int t = -o.warmup; t < o.turns; t++)
		for (int i = 0; i < o.n; i++) {
			struct command *c = &o.commands[i];
			double wall;

			c->cpu = 0;
			wall = turn(c, &attr);
			if (t < 0)
				continue;
			c->walls[t] = wall;
			c->cpus[t] = c->cpu / o.at_once;
		}
	return print();
}
