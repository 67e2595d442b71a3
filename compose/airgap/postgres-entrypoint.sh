#!/bin/bash
# The part of the official image's entrypoint that compose files here rely on: on an empty data directory,
# create the cluster, the user and the database of POSTGRES_USER, _PASSWORD and _DB, then run the scripts of
# /docker-entrypoint-initdb.d on a server that only its own socket reaches.
set -euo pipefail

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}

if [[ ${1:-} == -* ]]; then
    set -- postgres "$@"
fi
if [[ ${1:-} == postgres && ! -s $PGDATA/PG_VERSION ]]; then
    if [[ -z ${POSTGRES_PASSWORD:-} && $method != trust ]]; then
        echo "postgres: set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust" >&2
        exit 1
    fi
    initdb --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") --auth-local=trust \
        --auth-host="$method" --encoding=UTF8 >/dev/null
    echo "host all all all $method" >>"$PGDATA/pg_hba.conf"

    pg_ctl --wait --silent --options="-c listen_addresses=''" start
    run=(psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$user")
    if [[ $database != postgres ]]; then
        printf 'CREATE DATABASE :"name";\n' | "${run[@]}" --dbname=postgres --set=name="$database"
    fi
    shopt -s nullglob
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
            *.sql) "${run[@]}" --dbname="$database" --file="$script" ;;
            *.sh) bash "$script" ;;
        esac
    done
    pg_ctl --wait --silent --mode=fast stop
fi
exec "$@"
