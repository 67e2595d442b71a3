"""Keeps the proxy and the releases running, and takes orders over a Unix socket."""
