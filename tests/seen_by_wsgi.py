"""A WSGI application that says what it was told: run by a server in tests of it."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    lines = [f"{name}={value}" for name, value in environ.items() if "\n" not in str(value)]
    return ["\n".join(lines).encode()]
