/*
 * conf/value.h: the forms a value can have.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * n bytes of decimal digits without a leading zero, and nothing else. What does not fit
 * into *value is INT64_MAX.
 */
bool value_number(const char *s, size_t n, int64_t *value);

/* Labels of letters, digits, '-' and, as hosts have it, '_'; no dot at the end. */
bool value_is_domain(const char *s);

/* A domain (a dot at the end is fine), or an IPv4 or IPv6 address, with or without %zone.
 */
bool value_is_host(const char *s);

/* Printable ASCII that can stand in an envelope without quotes; "" is one too. */
bool value_is_address(const char *s);

#endif
