ARG BASE
FROM ${BASE}
# The package wants a system user of its own making; the official image's has the id 99.
RUN apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends haproxy \
 && groupmod --gid 99 haproxy \
 && usermod --uid 99 haproxy \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && mkdir -p /usr/local/etc/haproxy
USER haproxy
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
