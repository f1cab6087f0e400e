/* tests/unit/suite.h: what every unit program ends with. */
#ifndef UNIT_SUITE_H
#define UNIT_SUITE_H

#include <check.h>

/* Run a suite, TAP on stdout, and free it. Returns what main() returns: 0 when nothing failed. */
static inline int
run_suite(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}

#endif
