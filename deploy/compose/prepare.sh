#!/bin/sh
# Makes the secrets of compose.yaml, once. What is there already stays.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets

word() { openssl rand -hex 24; }
once() { [ -s "$1" ] || printf '%s' "$2" > "$1"; }

once control_token "$(word)"
once postgres_password "$(word)"
once redis_password "$(word)"
once database_url "postgresql://penstock:$(cat postgres_password)@postgres:5432/penstock"
once redis_url "redis://:$(cat redis_password)@redis:6379/0"
if [ ! -s control.key ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
    -subj /CN=control -addext subjectAltName=DNS:control,DNS:localhost \
    -keyout control.key -out control.crt 2>/dev/null
fi
# The folder keeps others out; inside, each container's own user must be able to read.
chmod 0644 -- *
chmod 0711 .
