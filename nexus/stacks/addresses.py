"""Where the services of an example answer: the port, the address and its variable, on both stacks."""

from dataclasses import dataclass

from nexus.stacks.ports import LIVE_PORT

USER = "nexus"


@dataclass(frozen=True)
class Address:
    """How programs outside of a service's container reach it.

    Attributes:
        port: the documented one, in the container and on this machine.
        form: of its URL; whoever fills it in names the port, and a password of that stack alone.
        told_as: the variable in which processes are told the URL; empty if they are not.
        publish: the variable in which compose.yml asks for the host's port; empty if it publishes none.
        password: the variable in which compose.yml asks for the password; empty if it has none.
    """

    port: int
    form: str
    told_as: str = ""
    publish: str = ""
    password: str = ""

    def url(self, port: int, password: str = "", database: str = USER) -> str:
        return self.form.format(port=port, password=password, database=database, user=USER)


HTTP = "http://127.0.0.1:{port}"
ADDRESSES = {
    "redis": Address(
        6379,
        "redis://:{password}@127.0.0.1:{port}/0",
        told_as="REDIS_URL",
        password="REDIS_PASSWORD",  # noqa: S106 (the variable's name)
    ),
    "postgres": Address(
        5432,
        "postgres://{user}:{password}@127.0.0.1:{port}/{database}",
        told_as="DATABASE_URL",
        password="POSTGRES_PASSWORD",  # noqa: S106 (the variable's name)
    ),
    "rabbitmq": Address(
        5672,
        "amqp://{user}:{password}@127.0.0.1:{port}//",
        told_as="CELERY_BROKER_URL",
        password="RABBITMQ_PASSWORD",  # noqa: S106 (the variable's name)
    ),
    "varnish": Address(8002, HTTP, publish="VARNISH_PORT"),
    "haproxy": Address(8004, HTTP, publish="HAPROXY_PORT"),
    "nginx": Address(8005, HTTP, publish="NGINX_PORT"),
    "live": Address(LIVE_PORT, HTTP, publish="LIVE_PORT"),
}
