#!/bin/sh
# Makes what compose.yaml's services are known by, once: an authority, a certificate of it, a password, and your token.
# Needs openssl. Whoever can read the folder `secrets` may do everything; delete it to have new ones made.
set -eu
cd "$(dirname "$0")"
[ ! -e secrets ] || { echo "$PWD/secrets is there already; delete it first to have new secrets" >&2; exit 1; }
umask 077
made=$(mktemp -d secrets.XXXXXX)
trap 'rm -rf "$made"' EXIT
cd "$made"

key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $key -days 3650 -subj '/CN=Glocal on this machine' -keyout ca.key -out ca.pem 2>/dev/null
openssl req -new $key -subj /CN=localhost -keyout server.key -out server.csr 2>/dev/null
printf 'subjectAltName=DNS:localhost,DNS:server,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n' >extensions
openssl x509 -req -in server.csr -days 365 -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -out server.pem 2>/dev/null
rm server.csr extensions
openssl rand -hex 24 | tr -d '\n' >postgres-password

# As `glocal-trainer token --owner NAME --role admin --file tokens` does: the file has a hash, and not the token.
token=glocal_$(openssl rand -hex 32)
printf '%s\n' "$token" >token
printf '%s %s admin\n' "$(printf %s "$token" | openssl dgst -sha256 -r | cut -d ' ' -f 1)" "$(id -un)" >tokens

# Containers read them as another user, through mounts of the files; nobody else gets into the folder.
chmod 644 server.pem server.key ca.pem postgres-password tokens
cd ..
mv "$made" secrets
trap - EXIT
echo "made $PWD/secrets; your token is in its file \`token\`"
