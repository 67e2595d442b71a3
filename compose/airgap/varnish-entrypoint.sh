#!/bin/sh
# As the official image: nothing or options mean varnishd in the foreground, with a cache of VARNISH_SIZE.
set -eu
case "${1:--}" in
    -*)
        set -- varnishd -F -f /etc/varnish/default.vcl \
            -a "http=:${VARNISH_HTTP_PORT:-80},HTTP" -a "proxy=:${VARNISH_PROXY_PORT:-8443},PROXY" \
            -p feature=+http2 -s "malloc,$VARNISH_SIZE" "$@"
        ;;
esac
exec "$@"
