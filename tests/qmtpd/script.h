/*
 * script.h: what the server is to do with a package: how to answer, where to fail.
 *
 * Script 0 holds for every package; the others are sections of --on, copies of script 0
 * that hold for some connections and packages. scripts_select() names the one in force.
 * Texts belong to struct scripts.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

#define SCRIPT_SECTIONS_MAX 512
#define SCRIPT_RULES_MAX 200
#define SCRIPT_TEXT_MAX (1 << 20) /* bytes of one text after its escapes */
#define VERDICT_DEFAULT 255       /* no rule matched */

/* What becomes of a connection. */
enum action { ACT_NONE, ACT_CLOSE, ACT_RESET, ACT_DROP, ACT_STALL };

enum place_kind { PLACE_NEVER, PLACE_BYTE, PLACE_BEFORE_LAST, PLACE_LAST };

struct place {
	enum place_kind kind;
	uint64_t byte; /* PLACE_BYTE: when so many were received */
};

struct text {
	const char *data; /* NULL: not given */
	size_t len;
};

struct rule {
	const char *pattern;
	struct text text;
};

struct script {
	uint64_t conn_first, conn_last; /* connections it holds for */
	uint64_t pack_first, pack_last; /* packages of such a connection */
	bool per_package; /* bytes and answers count from where the package begins */
	bool own_rules;   /* the inherited rules have been forgotten */

	struct text answer;
	struct rule rules[SCRIPT_RULES_MAX];
	size_t rules_len;
	bool one_answer, mailfront, serial;
	struct text raw;
	uint64_t extra, fewer;
	enum action then;
	struct place early_place;
	struct text early;
	uint64_t delay, between, drip, connect_delay; /* milliseconds */

	struct place cut_place;
	enum action cut;
	uint64_t count; /* answer_cut comes when so many answers were sent */
	enum action answer_cut;
};

struct scripts {
	struct script v[SCRIPT_SECTIONS_MAX];
	size_t len;
	bool fresh; /* the last section has no option yet */
	bool
	    watch_last; /* some script wants to know when only the last byte is missing */
	char **texts;
	size_t texts_len, texts_cap;
};

void scripts_init(struct scripts *s);
void scripts_free(struct scripts *s);

/* Begin the section "C[-D][:P[-Q]]". */
int scripts_section(struct scripts *s, const char *range, struct error *err);

/* The script for a package of a connection, both counted from 1. */
const struct script *scripts_select(
    const struct scripts *s, uint64_t conn, uint64_t package);

/* Resolve the escapes of C in an argument. */
int scripts_text(struct scripts *s, const char *arg, struct text *to, struct error *err);

/* Parts of the script that is being written (the last section). */
int scripts_rule(struct scripts *s, const char *arg, struct error *err);
int scripts_early(struct scripts *s, const char *arg, struct error *err);
int scripts_place(
    struct scripts *s, const char *arg, size_t len, struct place *to, struct error *err);

/* A decimal number of at most max. */
int script_number(
    const char *arg, size_t len, uint64_t max, uint64_t *to, struct error *err);

/* Which rule knows a recipient: its index, or VERDICT_DEFAULT. */
unsigned char script_verdict(const struct script *s, const char *addr);

/* The letter of a verdict, and its answer appended to b. */
char script_letter(const struct script *s, unsigned char verdict);
void script_answer(
    const struct script *s, unsigned char verdict, uint64_t number, struct buf *b);

#endif
