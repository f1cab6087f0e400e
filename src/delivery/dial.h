/*
 * delivery/dial.h: what the configuration says of a server, in libqmtp's words. Every
 * session with a server of the configuration begins here.
 */
#ifndef DELIVERY_DIAL_H
#define DELIVERY_DIAL_H

#include "conf/conf.h"
#include "qmtp/qmtp.h"

/*
 * Milliseconds, from when its connection is up, that a server whose TLS is under way is
 * given before one behind it may take its place.
 */
#define DIAL_PATIENCE 1000

/*
 * Set all that the configuration decides; the hooks and what is shared stay as they are in
 * o. Nothing is copied: o points into the server and to tls.
 */
void dial_options(
    struct qmtp_options *o, struct qmtp_tls *tls, const struct server *server);

/*
 * Begin to connect. hooks: commit, trace, arg and shared of the session. NULL with err, as
 * qmtp_session_new().
 */
struct qmtp_session *dial(const struct server *server, const struct qmtp_options *hooks,
    struct qmtp_error *err);

/*
 * Why a process of an ordinary user does not speak to a server: the key is for the flusher
 * alone to read. NULL: it does.
 */
const char *dial_forbidden(const struct server *server);

#endif
