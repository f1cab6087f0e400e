#!/bin/sh
# tls.sh: what TLS costs: one message to a server with tests/tls/tlsfront in front of it, beside the
# least a program can do with OpenSSL (tlsfloor.c), and beside a plain one.
#
# Run in the build directory: make bench, or make bench-tls for this alone.

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "${TLS:-no}" != yes ] || ! command -v openssl >/dev/null; then
	printf '\nTLS: not measured: it is not built in, or openssl is absent\n'
	exit 0
fi
letter small 2048
"$here/../tls/certs.sh" certs || exit 99
server live
"$TLSFRONT" --parent --lifetime 3600 --cert certs/good.pem --key certs/good.key --to "$(cat live)" \
    --port-file front &
pids="$pids $!"
wait_for_file front
PORT=$(cat front)
conf plain.conf "$(cat live)"
# secured FILE TRUST: how the server is known
secured() {
	echo 'default-domain = "lab.example"' >"$1"
	echo "server \"far\" { host = \"127.0.0.1\" port = $PORT tls = true" \
	    "tls-name = \"good.example\" $2 }" >>"$1"
}
secured directory.conf 'tls-ca = "'"$work"'/certs/ca.d"'
secured file.conf 'tls-ca = "'"$work"'/certs/ca.pem"'
key=$(openssl x509 -in certs/good.pem -noout -pubkey | openssl pkey -pubin -outform DER |
    openssl dgst -sha256 -r | cut -d' ' -f1)
secured key.conf "tls-fingerprint = \"$key\""
"$LOGSINK" log.sock >lines &
pids="$pids $!"
wait_for_file log.sock

floor="$bin/tlsfloor 127.0.0.1 $PORT good.example certs/ca.d $FROM"
# The words of a command are its arguments.
# shellcheck disable=SC2086
table 'TLS 1.3, 2 KB message, authority in a hashed directory (to reach: ratio 1.3)' -n 100 -i small \
    -- 'floor, OpenSSL' $floor "$TO" -- sendmail "$SENDMAIL" -C directory.conf "$TO" \
    -- 'sendmail, authority in a file' "$SENDMAIL" -C file.conf "$TO" \
    -- 'sendmail, pinned key' "$SENDMAIL" -C key.conf "$TO" \
    -- 'sendmail, plain' "$SENDMAIL" -C plain.conf "$TO" -- 'floor again' $floor "$TO"
exit "$failed"
