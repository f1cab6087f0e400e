#include "qmtp/tls.h"

#include <dlfcn.h>
#include <string.h>

#include "qmtp/failure.h"

static const struct qmtp__tls_ops *
failed(struct qmtp_error *err, const char *path, const char *reason)
{
	qmtp__fail(err, QMTP_SECURE, QMTP_TLS, "TLS module %.100s: %s while %s", path,
	    reason, qmtp_phase_name(QMTP_SECURE));
	return NULL;
}

/* What dlerror(3) says often begins with the path. */
static const char *
why(const char *path)
{
	const char *text = dlerror();
	size_t len = strlen(path);

	if (text == NULL)
		return "it cannot be loaded";
	if (strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0)
		return text + len + 2;
	return text;
}

const struct qmtp__tls_ops *
qmtp__tls_load(const char *path, struct qmtp_error *err)
{
	const struct qmtp__tls_ops *ops;
	void *module;

	if (path == NULL) {
#ifdef HAVE_OPENSSL
		path = TLS_MODULE;
#else
		qmtp__fail(err, QMTP_SECURE, QMTP_TLS, "TLS is not built in while %s",
		    qmtp_phase_name(QMTP_SECURE));
		return NULL;
#endif
	}
	if (path[0] != '/') /* it would be searched for where the environment says */
		return failed(err, path, "the path is not absolute");
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (module == NULL)
		return failed(err, path, why(path));
	ops = dlsym(module, QMTP__TLS_SYMBOL);
	if (ops == NULL)
		return failed(err, path, "it is none");
	if (ops->version != QMTP__TLS_VERSION)
		return failed(err, path, "it is of another version");
	return ops;
}
