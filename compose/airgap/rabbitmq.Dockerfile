ARG BASE
FROM ${BASE}
ENV LANG=C.UTF-8 HOME=/var/lib/rabbitmq RABBITMQ_DATA_DIR=/var/lib/rabbitmq RABBITMQ_LOGS=- \
    PATH=/usr/lib/rabbitmq/bin:$PATH
RUN groupadd --system --gid 999 rabbitmq \
 && useradd --system --uid 999 --gid rabbitmq --home-dir /var/lib/rabbitmq rabbitmq \
 && apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends rabbitmq-server \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && mkdir -p /etc/rabbitmq/conf.d \
 && echo 'loopback_users.guest = false' > /etc/rabbitmq/conf.d/10-defaults.conf \
 && echo '[rabbitmq_management].' > /etc/rabbitmq/enabled_plugins \
 && rm -rf /var/lib/rabbitmq/.erlang.cookie /var/lib/rabbitmq/mnesia \
 && chown -R rabbitmq:rabbitmq /var/lib/rabbitmq && chmod 777 /var/lib/rabbitmq
USER rabbitmq
VOLUME /var/lib/rabbitmq
EXPOSE 5672 15672
CMD ["rabbitmq-server"]
