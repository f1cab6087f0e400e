# outcome.awk: what a program made of a message, as lines that can be compared. Reads od -An -v -tu1.
#
#   exit 0
#   sender <ADDRESS>
#   recipient <ADDRESS>     sorted; "N times" if it is there more than once
#   added FIELD             made by the program, wherever it puts them; sorted; no Received
#   field FIELD             the others, in order; "\n" where they are folded
#   body LINE
#
# Bytes that are not printable ASCII are written \xHH, a backslash \\, and 40 or more of the same
# character \{N*C}. CR before LF is left out. Fields count as made by the program when they bear its
# mark, which nothing in the data bears: a Received field as the first one, a date of this year, and
# the host's domain or a long number in Message-ID. What is never the same is replaced by "*".
#
# form says how the envelope stands before the message:
#   ours         "sender <A>", "recipient <A>" lines, an empty line
#   smtp         a client's side of a dialogue, the message with its dots stuffed
#   nullmailer   the sender's line, those of the recipients, an empty line

BEGIN {
	for (i = 0; i < 256; i++)
		shown[i] = i > 31 && i < 127 ? sprintf("%c", i) : sprintf("\\x%02X", i)
	shown[9] = "\\t"
	shown[92] = "\\\\"
	hex = "[0-9a-f]"
}

{
	for (i = 1; i <= NF; i++) {
		if ($i == 10) {
			if (last == 13)
				line = substr(line, 1, length(line) - 4)
			lines[++n] = line
			line = ""
		} else {
			line = line shown[$i]
		}
		last = $i
	}
}

END {
	if (last != 10 && last != "")
		lines[++n] = line
	print "exit 0"
	first = envelope()
	header(first)
}

# Prints sender and recipients. Returns where the message begins.
function envelope(	i) {
	if (form == "smtp")
		return dialogue()
	for (i = 1; i <= n && (lines[i] != "" || i == 1); i++) {
		if (form == "nullmailer")
			lines[i] = (i == 1 ? "sender <" : "recipient <") lines[i] ">"
		if (lines[i] ~ /^sender /)
			print lines[i]
		else
			recipient[++recipients] = lines[i]
	}
	print_sorted(recipient, recipients)
	return i + 1
}

function dialogue(	i, address) {
	for (i = 1; i <= n && lines[i] != "DATA"; i++) {
		address = lines[i]
		sub(/^[^<]*/, "", address)
		sub(/>[^>]*$/, ">", address)
		if (lines[i] ~ /^MAIL /)
			print "sender " address
		else if (lines[i] ~ /^RCPT /)
			recipient[++recipients] = "recipient " address
	}
	print_sorted(recipient, recipients)
	first = i + 1
	for (i = first; i <= n && lines[i] != "."; i++)
		sub(/^\./, "", lines[i])
	n = i - 1
	return first
}

function header(i,	field, j) {
	for (; i <= n && lines[i] != ""; i++) {
		if (lines[i] ~ /^( |\\t)/ && fields > 0)
			field[fields] = field[fields] "\\n" lines[i]
		else
			field[++fields] = lines[i]
	}
	for (j = 1; j <= fields; j++)
		if (made(field[j], j) && field[j] !~ /^Received/)
			own[++owns] = "added " normal(field[j])
	print_sorted(own, owns)
	for (j = 1; j <= fields; j++)
		if (!made(field[j], j))
			print "field " squeeze(field[j])
	for (i++; i <= n; i++)
		print "body " squeeze(lines[i])
}

function made(text, nth,	name) {
	name = tolower(text)
	sub(/:.*/, "", name)
	if (name == "received")
		return nth == 1 && text !~ / 2001 /
	if (name ~ /date$/)
		return text ~ (" " year " ")
	if (name ~ /message-id$/)
		return text ~ /lab\.example>/ || text ~ ("<" hex hex hex hex hex hex hex hex)
	return name ~ /from$/ && text ~ /caller@lab\.example/
}

function normal(text) {
	if (text ~ /From:/)
		return text
	sub(/:[^\\]*/, ": *", text)
	sub(/Message-Id/, "Message-ID", text)
	return text
}

function squeeze(text,	out, i, run, c) {
	if (length(text) < 40)
		return text
	out = ""
	for (i = 1; i <= length(text); i += run) {
		c = substr(text, i, 1)
		for (run = 1; substr(text, i + run, 1) == c; run++)
			continue
		if (run >= 40) {
			out = out "\\{" run "*" c "}"
		} else {
			out = out substr(text, i, run)
		}
	}
	return out
}

function print_sorted(v, count,	i, j, t, times) {
	for (i = 2; i <= count; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]
			v[j] = v[j - 1]
			v[j - 1] = t
		}
	for (i = 1; i <= count; i += times) {
		for (times = 1; i + times <= count && v[i + times] == v[i]; times++)
			continue
		print squeeze(v[i]) (times > 1 ? " " times " times" : "")
	}
}
