/*
 * qmtp/qmtp.h: libqmtp, a client for QMTP, the Quick Mail Transfer Protocol.
 *
 * Sources cited: QMTP §n is D. J. Bernstein, "Quick Mail Transfer Protocol",
 * 1997-02-01; netstrings are the same author's of that date.
 *
 * A package (struct qmtp_package) is one message with one envelope. A session (struct
 * qmtp_session) is one connection; packages are submitted to it and their answers are
 * read from it by position. A session never blocks: the caller waits, with poll(2) or
 * an event loop of its own, for the descriptors and the deadline that the session
 * names, and then calls qmtp_session_step(). qmtp_session_run() is that loop for
 * callers who want to wait.
 *
 *	struct qmtp_package *p = qmtp_package_new();
 *	qmtp_package_sender(p, "alice@example.org");
 *	qmtp_package_rcpt(p, "bob@example.net");
 *	qmtp_package_lend(p, text, length);
 *
 *	struct qmtp_options o = { .host = "mail.example.net" };
 *	struct qmtp_error err;
 *	if (qmtp_send(&o, p, &err) < 0)
 *		... err.text says why; what was answered before that is in p all the same
 *	switch (qmtp_package_reply(p, 0).code) ...
 *	qmtp_package_free(p);
 *
 * The last byte of a package is held back until all before it was written without a
 * fault and the server has not spoken out of turn: until then a server must throw the
 * package away (QMTP §2), and the message may go elsewhere without a duplicate.
 * qmtp_package_committed() tells whether that byte was given to the system. Of packages
 * one behind the other, the last byte of one and the beginning of the next share a write.
 *
 * Promises: no output, no exit, no abort; out of memory is an error; no global state;
 * SIGPIPE is never raised; objects may be used from any thread, one thread at a time. A
 * host name is looked up in a thread of its own, so that a resolver that hangs holds
 * nobody up.
 *
 * Times are milliseconds. Functions return 0, or -1 on failure; err is filled in on
 * failure only, and must not be NULL.
 */
#ifndef QMTP_QMTP_H
#define QMTP_QMTP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QMTP_PORT 209              /* QMTP §7 */
#define QMTP_PORT_TLS 6209         /* QMTPS: TLS from the first byte */
#define QMTP_MESSAGE_MAX 200000000 /* bytes of a message that every known server takes */
#define QMTP_ADDRESS_MAX 999       /* bytes of an address that every known server takes */
#define QMTP_RCPTS_MAX 100000      /* recipients of one package */
#define QMTP_REPLY_MAX 8192        /* bytes of one answer */
#define QMTP_SESSION_MAX 3600000   /* milliseconds a session may last, QMTP §2 */

/* ---- errors ---- */

/* What was being done. */
enum qmtp_phase {
	QMTP_IDLE,    /* nothing, or checking arguments */
	QMTP_RESOLVE, /* looking up the server's name */
	QMTP_CONNECT,
	QMTP_SECURE, /* starting TLS: the module, one's own files, the handshake */
	QMTP_SEND,   /* sending a package, its last byte excepted */
	QMTP_COMMIT, /* sending the last byte of a package */
	QMTP_REPLY   /* waiting for answers */
};

/* Why it failed. */
enum qmtp_cause {
	QMTP_OK,
	QMTP_INVALID, /* arguments that cannot be sent */
	QMTP_MEMORY,
	QMTP_RESOLVER, /* the name has no address, or nobody knows */
	QMTP_SYSTEM,   /* a system call: see errnum */
	QMTP_TIMEOUT,  /* a deadline passed */
	QMTP_EOF,      /* the server closed the connection */
	QMTP_EARLY,    /* the server sent bytes nobody had asked for yet */
	QMTP_GARBAGE,  /* an answer that is none: QMTP §5 */
	QMTP_EXTRA,    /* more answers than recipients */
	/* one answer to several recipients, then nothing for options.silence (unless this
	   server had answered several before) */
	QMTP_SILENCE,
	/* the message's file cannot be read, or is shorter than was said: like REFUSED */
	QMTP_SOURCE,
	QMTP_REFUSED, /* options.commit said no; what was committed before is answered first */
	QMTP_AGED, /* the session has lasted as long as it may */
	QMTP_TLS,  /* TLS cannot be had, or broke: the text says why */
	/* the server's certificate or key is not one to trust: the text says why */
	QMTP_UNTRUSTED
};

struct qmtp_error {
	enum qmtp_phase phase;
	enum qmtp_cause cause;
	int errnum; /* errno for QMTP_SYSTEM, the EAI_ code for QMTP_RESOLVER, else 0 */
	/* one line, "what: reason while doing what"; no bytes from the server */
	char text[240];
};

/* "looking up the name", "connecting", ...: the words used in texts. */
const char *qmtp_phase_name(enum qmtp_phase phase);

/* ---- packages ---- */

/*
 * One answer (QMTP §5). text is what the server sent behind the letter: any bytes, not
 * terminated; it lives until the next answer comes or the package is changed.
 */
struct qmtp_reply {
	/* 'K' accepted, 'Z' try again later, 'D' refused for good, 0 no answer */
	char code;
	const char *text;
	size_t len;
};

struct qmtp_package;

/* An empty package with encoding LF. NULL when there is no memory. */
struct qmtp_package *qmtp_package_new(void);

/*
 * A package that is in a session (submitted, and neither done nor let go of) must not be
 * freed or changed; it may be looked at. NULL is allowed.
 */
void qmtp_package_free(struct qmtp_package *p);

/*
 * The envelope: raw addresses, no angle brackets, no SMTP quoting (QMTP §4), copied. ""
 * is the null sender; a package without a sender cannot be submitted. A sender takes the
 * place of the one before. What an address may be is for qmtp_package_check() to say; -1
 * here is only for lack of memory or QMTP_RCPTS_MAX, and changes nothing.
 */
int qmtp_package_sender(struct qmtp_package *p, const char *addr);
int qmtp_package_rcpt(struct qmtp_package *p, const char *addr);

/*
 * The sender, or NULL while it is unset; the package's own, until it is set anew. The
 * recipient at a position, copied out as a string: its length, without the NUL, or -1
 * when there is no such recipient. At most size bytes are written, NUL included; it was
 * cut when the length is size or more.
 */
const char *qmtp_package_get_sender(const struct qmtp_package *p);
ssize_t qmtp_package_get_rcpt(
    const struct qmtp_package *p, size_t position, char *out, size_t size);

/* Forget sender, recipients and answers, keep the message: Net::QMTP's new_envelope. */
void qmtp_package_new_envelope(struct qmtp_package *p);

/* Forget the message, keep the envelope. */
void qmtp_package_new_message(struct qmtp_package *p);

/*
 * The message, in pieces that are sent one behind the other. append copies; lend does
 * not: the bytes must stay until the package is freed or given a new message. file
 * sends length bytes of a regular file from offset: the descriptor is lent, until then
 * too, its position neither used nor moved. Whether they are there is seen when they are
 * sent (QMTP_SOURCE). -1: no memory, or a message of more than 2^63 bytes; then the
 * package is as it was.
 */
int qmtp_package_append(struct qmtp_package *p, const void *data, size_t len);
int qmtp_package_lend(struct qmtp_package *p, const void *data, size_t len);
int qmtp_package_file(struct qmtp_package *p, int fd, uint64_t offset, uint64_t length);

/*
 * What a descriptor holds from its position to its end, as another piece. A regular file
 * is lent and sent from where it is, like file (its position is not moved); anything else,
 * a pipe for instance, is read to its end, into memory, waiting for it. -1 with err:
 * QMTP_SYSTEM, QMTP_MEMORY, or QMTP_INVALID when the message would be longer than
 * QMTP_MESSAGE_MAX; then the package is as it was.
 */
int qmtp_package_read(struct qmtp_package *p, int fd, struct qmtp_error *err);

/*
 * The same of a file by its name, from its beginning; the package keeps it open until it
 * is freed or given a new message.
 */
int qmtp_package_path(struct qmtp_package *p, const char *path, struct qmtp_error *err);

/*
 * Copy bytes of the message, from an offset on, whatever they are in; returns how many:
 * less than size only at the end. -1 with err: a file cannot be read (QMTP_SOURCE).
 */
ssize_t qmtp_package_get_message(const struct qmtp_package *p, uint64_t offset, void *out,
    size_t size, struct qmtp_error *err);

/*
 * How the lines of the message end (QMTP §4): LF (the default), or CR LF. mailfront
 * refuses the latter.
 */
enum qmtp_encoding { QMTP_LF = '\n', QMTP_CRLF = '\r' };
void qmtp_package_encoding(struct qmtp_package *p, enum qmtp_encoding encoding);
enum qmtp_encoding qmtp_package_get_encoding(const struct qmtp_package *p);

/*
 * Read the message and set the encoding: QMTP_CRLF when it has lines and every LF follows
 * a CR, else QMTP_LF. -1 with err: a file cannot be read (QMTP_SOURCE).
 */
int qmtp_package_detect(struct qmtp_package *p, struct qmtp_error *err);

/*
 * Whether the package can be sent as it is: 0, or -1 with err saying what is wrong with
 * it: no sender, no recipient, an address that is empty or longer than
 * QMTP_ADDRESS_MAX, a message of more than QMTP_MESSAGE_MAX bytes.
 */
int qmtp_package_check(const struct qmtp_package *p, struct qmtp_error *err);

size_t qmtp_package_rcpts(const struct qmtp_package *p); /* recipients */
/* bytes of the message, without the encoding byte */
uint64_t qmtp_package_size(const struct qmtp_package *p);
size_t qmtp_package_answers(const struct qmtp_package *p); /* answers that have come */
bool qmtp_package_done(const struct qmtp_package *p); /* all answers owed have come */
/* the last byte was given to the system, or may have been */
bool qmtp_package_committed(const struct qmtp_package *p);

/*
 * The answer for the recipient at a position, counted from 0 in the order they were added;
 * code 0 when none has come (yet). With options.answers_one only position 0 has one. The
 * answers to a submission stand until the package is submitted again or given a new
 * envelope.
 */
struct qmtp_reply qmtp_package_reply(const struct qmtp_package *p, size_t position);

/* What became of a recipient. */
enum qmtp_fate {
	QMTP_UNSENT,   /* it was not sent: any server may have it */
	QMTP_IN_DOUBT, /* it was sent, and no answer came: this server may have it */
	QMTP_ACCEPTED, /* K */
	QMTP_DEFERRED, /* Z */
	QMTP_REJECTED  /* D */
};

/* What is known of the recipient at a position. */
struct qmtp_result {
	enum qmtp_fate fate;
	enum qmtp_phase phase; /* QMTP_REPLY with an answer, else where it ended */
	/*
	 * QMTP_OK with an answer, else why: QMTP_REFUSED when the caller closed the
	 * session. A D before QMTP_SILENCE is QMTP_DEFERRED with that cause: it may have
	 * been meant for others. Behind a Z or D before it, so are those without an answer.
	 */
	enum qmtp_cause cause;
	/*
	 * the server's words, any bytes; or err.text of the session that ended. Not
	 * terminated; as long-lived as those of qmtp_package_reply().
	 */
	const char *text;
	size_t len;
};

/*
 * The result for a position, also of a package that was answered once for all
 * (options.answers_one). Final when the package is done or out of its session; QMTP_UNSENT
 * or QMTP_IN_DOUBT with cause QMTP_OK before.
 */
struct qmtp_result qmtp_package_result(const struct qmtp_package *p, size_t position);

/* ---- what sessions with one server share ---- */

/*
 * TLS: 1.2 or newer, and the server is verified: its certificate by an authority, and the
 * name in it. OpenSSL is in a module that is loaded by the first session that needs it.
 */
struct qmtp_tls {
	/*
	 * host name or address that the certificate must have, and for SNI; NULL: host,
	 * which must then be no path, unless there is a fingerprint
	 */
	const char *name;
	/* a file of certificates (PEM), or a directory with hashed names, of the
	   authorities to trust; NULL: the system's directory, or else its file */
	const char *ca;
	/*
	 * SHA-256 of the server's public key (of its SubjectPublicKeyInfo, DER), as 64
	 * hexadecimal digits: that key is trusted, whatever else the certificate says,
	 * and no other.
	 */
	const char *fingerprint;
	/* one's own, PEM, with the chain behind it; NULL: none */
	const char *certificate;
	/* its private key, PEM, not encrypted; NULL: it is in the certificate's file */
	const char *key;
	/* absolute path of the module; NULL: the installed one */
	const char *module;
};

/*
 * What sessions with one server, made from the same options, have in common: a look-up of
 * its name that is still under way (there is one at a time: another session joins it), the
 * files that TLS reads, and the TLS session to resume. Sessions may share it at the same
 * time from several threads.
 */
struct qmtp_shared;

struct qmtp_shared *qmtp_shared_new(void); /* NULL: no memory */

/* When no session uses it any more. NULL is allowed. */
void qmtp_shared_free(struct qmtp_shared *shared);

/* ---- sessions ---- */

/* What the trace callback is told. data is not terminated. */
enum qmtp_trace {
	QMTP_TRACE_NOTE, /* "connecting to 192.0.2.1 port 209" */
	QMTP_TRACE_SENT, /* a part of a package; of the message only "message of N bytes" */
	QMTP_TRACE_GOT   /* an answer: its letter and text */
};

/* Zero means the default where one is given. Strings are copied. */
struct qmtp_options {
	/* name, IPv4 or IPv6 address (scope allowed), or "/path" of a unix socket */
	const char *host;
	int port; /* QMTP_PORT; with tls QMTP_PORT_TLS */
	/* looking up, connecting and starting TLS together: 10,000 */
	int connect_timeout;
	int send_timeout; /* without any progress: 60,000 */
	/* all answers to a package, from when it is the oldest unanswered one: 300,000 */
	int reply_timeout;
	int silence; /* after one answer to several recipients: 30,000 */
	/* no package is begun after this, QMTP_AGED; at most QMTP_SESSION_MAX: 3,000,000 */
	int session_timeout;
	/* the server answers once per package (mailfront); that answer stands for all */
	bool answers_one;
	/*
	 * Packages whose last byte was sent and that are not answered: 64. With them at
	 * most window_rcpts recipients (1000) and window_bytes bytes of messages (16
	 * MiB); a package that is larger goes alone. Unless window is 1, the next one
	 * waits for its place with all but its last byte sent.
	 */
	int window;
	int window_rcpts;
	uint64_t window_bytes;

	const struct qmtp_tls *tls; /* NULL: none. Never plain instead. Copied */
	/* lent, until the session is freed; NULL: the session shares nothing */
	struct qmtp_shared *shared;
	/* begin to connect with the first package or qmtp_session_connect(), not at once */
	bool defer;

	/*
	 * Asked once per package, when all but its last byte was sent: 0 to go on, -1
	 * to give the package up: nothing more is sent, and once all that was committed
	 * before is answered the session closes (QMTP_REFUSED). NULL: always go on.
	 */
	int (*commit)(void *arg, struct qmtp_package *p);
	/* Called as things happen, from within the calls below. NULL: not. */
	void (*trace)(void *arg, enum qmtp_trace what, const void *data, size_t len);
	/* for both; neither may change this session or its packages */
	void *arg;
};

struct qmtp_session;

enum qmtp_state {
	QMTP_WAITING,    /* options.defer: nothing was begun */
	QMTP_CONNECTING, /* no package can have been sent yet */
	QMTP_SECURING,   /* likewise: connected, and TLS is being started */
	QMTP_OPEN,
	QMTP_CLOSED /* until qmtp_session_reconnect(); qmtp_session_error() has the reason */
};

/*
 * Start connecting, unless options.defer is set. NULL with err when the options make no
 * sense (QMTP_INVALID: no host, a negative number, a port above 65535) or there is no
 * memory. A connection that fails at once is a session that is closed.
 */
struct qmtp_session *qmtp_session_new(
    const struct qmtp_options *options, struct qmtp_error *err);

/*
 * A session on a connected stream socket, which is made non-blocking and which it then
 * owns; on failure it is still the caller's. options->host is used as a name only.
 */
struct qmtp_session *qmtp_session_adopt(
    int fd, const struct qmtp_options *options, struct qmtp_error *err);

/* Closes it if need be. NULL is allowed. */
void qmtp_session_free(struct qmtp_session *s);

/*
 * Close the connection now. What was answered stays, packages without their last byte
 * sent are uncommitted, and the session lets go of all of them.
 */
void qmtp_session_close(struct qmtp_session *s);

/*
 * Close it if need be, and start connecting anew, to the same server with the same
 * options; the hour (options.session_timeout) begins anew. 0, or -1 with err: the session
 * is closed. Not for one that was adopted.
 */
int qmtp_session_reconnect(struct qmtp_session *s, struct qmtp_error *err);

/*
 * Queue a package, at any time before the session closes. It is lent to the session
 * until it is done or the session is closed. Packages are sent in order, as many at
 * once as options.window allows; behind one with several recipients nothing is sent
 * until it is answered, unless this server has already answered such a package with
 * exactly as many answers (a server that answers once per package would shift the
 * answers).
 * -1 with err: qmtp_package_check() failed, or the session is closed (err is its reason).
 */
int qmtp_session_submit(
    struct qmtp_session *s, struct qmtp_package *p, struct qmtp_error *err);

/* How many submitted packages are not done. */
size_t qmtp_session_unfinished(const struct qmtp_session *s);

/* Most descriptors a session waits for at a time. */
#define QMTP_POLL_MAX 8

/*
 * Fill in what to wait for; returns how many entries of v, which has room for
 * QMTP_POLL_MAX, were used. It changes from step to step, the descriptors too.
 */
size_t qmtp_session_poll(const struct qmtp_session *s, struct pollfd *v);

/*
 * When to call step even if no descriptor is ready: qmtp_now() time, or INT64_MAX for
 * never.
 */
int64_t qmtp_session_deadline(const struct qmtp_session *s);

/*
 * Do all that can be done without waiting. Call it when a descriptor is ready or the
 * deadline has passed; calling it for nothing is harmless. Returns the state.
 */
enum qmtp_state qmtp_session_step(struct qmtp_session *s);

enum qmtp_state qmtp_session_state(const struct qmtp_session *s);

/*
 * Why the session closed; cause QMTP_OK while it has not, and after
 * qmtp_session_close().
 */
const struct qmtp_error *qmtp_session_error(const struct qmtp_session *s);

/*
 * The server's address: "192.0.2.1", "2001:db8::1", "/path"; "" before a connection
 * stood or was tried.
 */
const char *qmtp_session_peer(const struct qmtp_session *s);

/*
 * Whether this server has answered a package of several recipients with as many
 * answers.
 */
bool qmtp_session_proven(const struct qmtp_session *s);

/*
 * For QMTP_EARLY, QMTP_GARBAGE and QMTP_EXTRA: the first bytes that had no business
 * there, at most 400; else *len is 0. They live as long as the session's error.
 */
const char *qmtp_session_stray(const struct qmtp_session *s, size_t *len);

/* The server as the options named it, and the port that is used. */
const char *qmtp_session_host(const struct qmtp_session *s);
int qmtp_session_port(const struct qmtp_session *s);

/*
 * Of a session with TLS that is or was open: "TLSv1.3, TLS_AES_256_GCM_SHA384", with
 * ", resumed" behind it when it continued an earlier one; else "".
 */
const char *qmtp_session_security(const struct qmtp_session *s);

/* Step and wait until the connection stands (0), or the session closed (-1 with err). */
int qmtp_session_connect(struct qmtp_session *s, struct qmtp_error *err);

/*
 * Step and wait until all submitted packages are done (0, even if the session closed
 * behind the last answer), or the session closed or the deadline (qmtp_now() time,
 * INT64_MAX for none) passed (-1 with err). After the deadline, cause QMTP_TIMEOUT in phase
 * QMTP_IDLE, the session is as it was: step, run or close it.
 */
int qmtp_session_run(struct qmtp_session *s, int64_t deadline, struct qmtp_error *err);

/* CLOCK_MONOTONIC in milliseconds: the time that deadlines are in. */
int64_t qmtp_now(void);

/* ---- the whole in one call ---- */

/*
 * Connect, send one package, wait for its answers, close. 0 when every recipient has an
 * answer, of whatever letter; else -1 with err; the answers that came stand in the
 * package either way.
 */
int qmtp_send(
    const struct qmtp_options *options, struct qmtp_package *p, struct qmtp_error *err);

#ifdef __cplusplus
}
#endif

#endif
