"""A backup made a server again, every night: empty to begin with, compared table by table, and reported."""
