ARG BASE
FROM ${BASE}
RUN groupadd --system --gid 1000 varnish \
 && useradd --system --uid 1000 --gid varnish --no-create-home --shell /usr/sbin/nologin varnish \
 && apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends varnish \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --chmod=755 varnish-entrypoint.sh /usr/local/bin/docker-varnish-entrypoint
ENV VARNISH_SIZE=100M
WORKDIR /etc/varnish
USER varnish
EXPOSE 80 8443
ENTRYPOINT ["docker-varnish-entrypoint"]
