"""A WSGI application that says what it was told: run by a server in tests of it."""


def application(environ, start_response):
    lines = [f"{name}={value}" for name, value in environ.items() if "\n" not in str(value)]
    body = "\n".join(lines).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
