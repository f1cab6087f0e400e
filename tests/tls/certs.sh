#!/bin/sh
# certs.sh DIR: keys and certificates for tests of TLS, made in DIR (which it makes): good ones and
# bad ones. NAME.pem is a certificate with the chain behind it, NAME.key its key (EC, not encrypted).
#
#	ca        the authority to trust; ca.d/ is a directory of hashed names with it alone
#	between   an authority below it: most certificates are issued by it
#	good      localhost, good.example, 127.0.0.1, ::1
#	direct    the same names, issued by ca itself
#	rsa       the same names, with an RSA key
#	address   127.0.0.1 alone
#	wild      *.wild.example          partial  m*.wild.example
#	common    good.example as the common name, and no other name
#	odd       names with bytes that no terminal should see
#	client    a client's; client-other is one of another authority; encrypted.key is its key with
#	          a password ("secret"); client-all.pem is certificate and key in one file
#
# Bad servers, for localhost (but wrongname) and 127.0.0.1:
#
#	expired notyet wrongname unknown (its authority is other) selfsigned clientonly (not for
#	servers) nonca (issued by good, which is no authority) badsignature expired-between (the
#	authority has expired) weak (an RSA key of 768 bits)

set -eu
mkdir -p "$1"
cd "$1"
exec 3>&2 2>certs.log
trap '[ $? -eq 0 ] || { cat certs.log >&3; }' EXIT
LC_ALL=C OPENSSL_CONF=$PWD/conf
export LC_ALL OPENSSL_CONF

names=DNS:localhost,DNS:good.example,IP:127.0.0.1,IP:::1
cat >conf <<'EOF'
[ req ]
distinguished_name = dn
prompt = no
[ dn ]
CN = unused
[ ca ]
default_ca = here
[ here ]
database = index
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[ any ]
commonName = supplied
EOF

# extensions KIND NAMES: what a certificate says of itself
extensions()
{
	case $1 in
	ca) printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' ;;
	server) printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' ;;
	client) printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n' ;;
	esac
	printf 'subjectKeyIdentifier=hash\n'
	[ -z "$2" ] || printf 'subjectAltName=%s\n' "$2"
}

# key NAME
key()
{
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
}

# authority NAME: one that nobody has issued
authority()
{
	key "$1"
	openssl req -x509 -new -key "$1.key" -subj "/CN=test $1" -days 3650 -out "$1.pem" \
	    -addext basicConstraints=critical,CA:TRUE \
	    -addext keyUsage=critical,keyCertSign,cRLSign
}

# issue NAME ISSUER KIND CN NAMES [FROM TO]: a certificate for NAME.key, which is made if need be
issue()
{
	extensions "$3" "$5" >ext
	[ -f "$1.key" ] || key "$1"
	openssl req -new -utf8 -key "$1.key" -subj "/CN=$4" -out csr
	: >index
	openssl ca -batch -notext -in csr -cert "$2.pem" -keyfile "$2.key" -extfile ext -out "$1.pem" \
	    -startdate "${6-20200101000000Z}" -enddate "${7-20491231000000Z}"
}

# leaf NAME KIND CN NAMES [FROM TO]: issued by between, which stands behind it
leaf()
{
	name=$1
	shift
	issue "$name" between "$@"
	cat between.pem >>"$name.pem"
}

authority ca
authority other
issue between ca ca 'test between' ''
issue expired-authority ca ca 'test expired' '' 20200101000000Z 20210101000000Z
mkdir -p ca.d
ln -sf ../ca.pem "ca.d/$(openssl x509 -in ca.pem -noout -subject_hash).0"

leaf good server good.example "$names"
issue direct ca server good.example "$names"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key
leaf rsa server good.example "$names"
leaf address server address IP:127.0.0.1
leaf wild server wild 'DNS:*.wild.example'
leaf partial server partial 'DNS:m*.wild.example'
leaf common server good.example ''
leaf odd server odd "DNS:$(printf 'a\033[1mb\177.example')"
leaf client client 'test client' ''
issue client-other other client 'test client' ''
cat client.pem client.key >client-all.pem
openssl pkey -in client.key -aes128 -passout pass:secret -out encrypted.key

leaf expired server expired "$names" 20200101000000Z 20210203040506Z
leaf notyet server notyet "$names" 20480706050403Z 20491231000000Z
leaf wrongname server wrong.example DNS:wrong.example,DNS:also.example,IP:192.0.2.1
issue unknown other server unknown "$names"
leaf clientonly client clientonly "$names"
issue nonca good server nonca "$names"
cat good.pem >>nonca.pem
issue expired-between expired-authority server late "$names"
cat expired-authority.pem >>expired-between.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:768 -out weak.key
leaf weak server weak "$names"

key selfsigned
extensions server "$names" >ext
openssl req -new -key selfsigned.key -subj /CN=selfsigned -out csr
openssl x509 -req -in csr -signkey selfsigned.key -days 3650 -extfile ext -out selfsigned.pem

# The last byte but one of the signature is another.
key badsignature
issue badsignature ca server bad "$names"
openssl x509 -in badsignature.pem -outform DER -out der
size=$(wc -c <der)
last=$(tail -c 2 der | head -c 1 | od -An -to1 | tr -d ' ')
{ head -c $((size - 2)) der; if [ "$last" = 001 ]; then printf '\002'; else printf '\001'; fi; tail -c 1 der; } >der.bad
openssl x509 -in der.bad -inform DER -out badsignature.pem

rm -f certs.log conf csr der der.bad ext index index.* ./*.old [0-9A-F][0-9A-F]*.pem
