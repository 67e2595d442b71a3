#!/bin/sh
# As the official image: a leading option or a .conf file means redis-server, and protected mode is off
# (the container's published ports decide who may connect).
set -eu
case "$1" in
    -* | *.conf) set -- redis-server "$@" ;;
esac
[ "$1" != redis-server ] || set -- "$@" --protected-mode no
exec "$@"
