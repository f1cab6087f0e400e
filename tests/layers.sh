#!/bin/sh
# The rules of the house (CONTRIBUTING.md, "Floors"), proved on src/; then proved able to fail
# on a copy of src/ with one breach of each.

srcdir=${srcdir:-.}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM

# breaches ROOT: one line for each breach in ROOT/src, "RULE FILE:LINE: TEXT". Examples are on no
# floor: they are programs of whoever uses the library.
breaches()
{
	# shellcheck disable=SC2016 # the $ are of awk
	(cd "$1" && find src -path src/qmtp/examples -prune -o -name '*.[ch]' -print | LC_ALL=C sort | xargs awk '
	BEGIN {
		floor["util"] = 1
		floor["qmtp"] = floor["conf"] = floor["mail"] = 2
		floor["delivery"] = floor["spool"] = 3
		floor["sendmail"] = floor["queue"] = floor["flush"] = 4
		program["sendmail"] = program["queue"] = program["flush"] = 1
		word = "(^|[^A-Za-z0-9_.>])"
		prints = word "(v?f?printf|v?dprintf|puts|fputs|putchar|putc|fputc|perror|psignal|err|errx" \
		    "|warn|warnx|exit|_exit|_Exit|quick_exit|abort)[ \t]*[(]"
		streams = word "(stdout|stderr)([^A-Za-z0-9_]|$)"
		unsafe = word "(strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|atoll|alarm|setjmp|longjmp" \
		    "|system|popen|tmpnam|mktemp)[ \t]*[(]"
	}

	function breach(rule) {
		printf "%s %s:%d: %s\n", rule, FILENAME, FNR, $0
	}

	# The line without comments and without what stands in quotes
	function code(line,    out, p) {
		out = ""
		while (line != "") {
			if (in_comment) {
				p = index(line, "*/")
				if (p == 0)
					return out
				line = substr(line, p + 2)
				in_comment = 0
			} else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047/)) {
				out = out substr(line, 1, RSTART - 1) " "
				p = substr(line, RSTART, 2)
				line = substr(line, RSTART + RLENGTH)
				if (p == "/*")
					in_comment = 1
				else if (p == "//")
					return out
			} else {
				return out line
			}
		}
		return out
	}

	function judge_include(file,    part) {
		if (file == "config.h")
			return
		if (split(file, part, "/") != 2 || !(part[1] in floor)) {
			breach("folder-named")
			return
		}
		if (folder == "qmtp" && part[1] != "qmtp")
			breach("libqmtp-alone")
		else if (part[1] != folder && floor[part[1]] >= floor[folder])
			breach("lower-floors")
	}

	FNR == 1 {
		split(FILENAME, path, "/")
		folder = path[2]
		in_comment = 0
		if (!(folder in floor))
			breach("folder-named")
	}
	FNR == 501 { breach("short-files") }
	/^[ \t]*#[ \t]*include[ \t]/ {
		file = $0
		sub(/^[ \t]*#[ \t]*include[ \t]*/, "", file)
		if (file ~ /confuse[.]h/ && folder != "conf")
			breach("confuse-in-conf")
		if (file ~ /^"/) {
			split(file, quoted, "\"")
			judge_include(quoted[2])
		}
		next
	}
	{
		text = code($0)
		if (text ~ unsafe)
			breach("never-called")
		if (!(folder in program) && path[3] != "xalloc.c" && (text ~ prints || text ~ streams))
			breach("silent-floors")
	}')
}

# plant FILE LINE: the copy is as the tree, but for one line
plant()
{
	rm -rf "$scratch/src"
	cp -R "$srcdir/src" "$scratch/src" && chmod -R u+w "$scratch/src" || exit 99
	mkdir -p "$scratch/${1%/*}"
	printf '%s\n' "$2" >>"$scratch/$1"
}

# report OK TEXT: one case
report()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}

# rule NAME TEXT: no breach of it in the tree
rule()
{
	! printf '%s\n' "$found" | sed -n "s/^$1 /# /p" | grep .
	report $? "$2"
}

# fails NAME FILE LINE [TEXT]: the rule, and no other, notices LINE at the end of FILE
fails()
{
	plant "$2" "$3"
	new=$(breaches "$scratch" | grep -c .)
	old=$(printf '%s\n' "$found" | grep -c .)
	breaches "$scratch" | grep -q "^$1 $2:" && [ "$new" -eq $((old + 1)) ]
	report $? "$1 notices: ${4-$3}"
}

# passes FILE LINE: nothing wrong with that
passes()
{
	plant "$1" "$2"
	[ "$(breaches "$scratch")" = "$found" ]
	report $? "in order: $2"
}

count=0
echo 1..24
found=$(breaches "$srcdir")

[ -n "$(find "$srcdir/src" -name '*.c')" ]
report $? "there is something to look at"
rule folder-named "an include names the folder and the file"
rule lower-floors "a file includes its own folder and lower floors only"
rule libqmtp-alone "src/qmtp includes nothing but itself and the system"
rule confuse-in-conf "confuse.h is included in src/conf only"
rule silent-floors "only the programs' folders and util/xalloc print or exit"
rule never-called "the calls that are never used"
rule short-files "no file has more than 500 lines"

fails folder-named src/mail/planted.c '#include "address.h"'
fails folder-named src/mail/planted.c '#include "../util/buf.h"'
fails folder-named src/cellar/planted.c 'int planted;'
fails lower-floors src/util/planted.c '#include "mail/address.h"'
fails lower-floors src/mail/planted.c '#include "conf/conf.h"'
fails lower-floors src/conf/planted.h '#  include "delivery/deliver.h"'
fails libqmtp-alone src/qmtp/planted.c '#include "util/buf.h"'
fails confuse-in-conf src/sendmail/planted.c '#include <confuse.h>'
fails silent-floors src/mail/planted.c 'void f(void) { printf("x"); }'
fails silent-floors src/qmtp/planted.c 'void f(void) { exit(1); }'
fails silent-floors src/delivery/planted.c 'void *f(void) { return stderr; }'
fails never-called src/sendmail/planted.c 'int f(char *s) { return atoi(s); }'
fails short-files src/util/planted.h "$(awk 'BEGIN { for (i = 0; i < 501; i++) print ""; print "." }')" \
    "502 lines"

passes src/sendmail/planted.c 'void f(void) { printf("x"); exit(0); }'
passes src/mail/planted.c 'char *s = "exit(1)"; /* printf("x") */ // abort()'
passes src/delivery/planted.c '#include "conf/conf.h"'
