#include "conf/value.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define DOMAIN_MAX 253 /* RFC 1035 §2.3.4, without the length bytes */
#define LABEL_MAX 63
#define ADDRESS_MAX 999

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
value_number(const char *s, size_t n, int64_t *value)
{
	*value = 0;
	if (n == 0 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s[i]))
			return false;
		if (*value > (INT64_MAX - 9) / 10)
			*value = INT64_MAX;
		else
			*value = *value * 10 + (s[i] - '0');
	}
	return true;
}

bool
value_is_domain(const char *s)
{
	size_t label = 0;
	size_t n = strlen(s);

	if (n == 0 || n > DOMAIN_MAX)
		return false;
	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if ((!is_alnum(*s) && *s != '-' && *s != '_') ||
		    ++label > LABEL_MAX) {
			return false;
		}
	}
	return label > 0;
}

bool
value_is_host(const char *s)
{
	struct in6_addr address;
	char bare[INET6_ADDRSTRLEN];
	size_t n = strcspn(s, "%");
	size_t length = strlen(s);

	if (strchr(s, ':') == NULL) {
		/* An absolute name ends in a dot: a resolver then adds no search domain.
		 */
		if (length > 1 && length <= DOMAIN_MAX + 1 && s[length - 1] == '.') {
			char *name = xstrndup(s, length - 1);
			bool fine = value_is_domain(name);

			free(name);
			return fine;
		}
		return value_is_domain(s);
	}
	if (n >= sizeof(bare) || (s[n] == '%' && !value_is_domain(s + n + 1)))
		return false;
	memcpy(bare, s, n);
	bare[n] = '\0';
	return inet_pton(AF_INET6, bare, &address) == 1;
}

bool
value_is_address(const char *s)
{
	if (strlen(s) > ADDRESS_MAX)
		return false;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("<>(),;\"'", *s) != NULL)
			return false;
	return true;
}
