ARG BASE
FROM ${BASE}
RUN groupadd --system --gid 99 haproxy \
 && useradd --system --uid 99 --gid haproxy --no-create-home --shell /usr/sbin/nologin haproxy \
 && apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends haproxy \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && mkdir -p /usr/local/etc/haproxy
USER haproxy
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
