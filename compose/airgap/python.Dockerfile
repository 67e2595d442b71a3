ARG BASE
FROM ${BASE}
ARG PIP_CONF=
ENV LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
RUN apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends python3.13 python3.13-venv python3-pip \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/lib/python3.13/EXTERNALLY-MANAGED \
 && ln -s /usr/bin/python3.13 /usr/local/bin/python \
 && printf '%s\n' "${PIP_CONF}" > /etc/pip.conf
CMD ["python"]
