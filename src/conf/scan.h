/*
 * conf/scan.h: the shape of the file, judged before libconfuse reads it.
 *
 * libconfuse drops what it does not know ("port = +2", "a = *b"), takes a file that ends
 * inside a section, expands the environment, reaches into other sections
 * ("server=x|port"), and loses count of the lines at a comment. So the text is held to a
 * narrower grammar first:
 *
 *	file    = { name "=" value | name [ value ] "{" | "}" }
 *	value   = word | string
 *	word    = letters, digits and . _ - / : @ %
 *	string  = '"' ... '"' or "'" ... "'", on one line, without control characters, '$'
 * and '\' comment = "#" or "//" to the end of the line, or between slash-star and
 * star-slash
 */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include <stddef.h>

#include "util/error.h"

/*
 * Check n bytes of text and overwrite every comment with spaces (line ends stay). path is
 * for the error. Returns 0, or -1 with err (EX_CONFIG): "PATH:LINE: what".
 */
int scan_check(char *text, size_t n, const char *path, struct error *err);

#endif
