"""What the usual middleware keeps: a row for each address."""

from django.db import models


class BlockedAddress(models.Model):
    """An address as a client, or whoever spoke for it, wrote it."""

    address = models.CharField(max_length=100, unique=True)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.address


class ListedNetwork(models.Model):
    """A network of a list that is replaced as a whole."""

    network = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.network


class Visit(models.Model):
    """A line of a log that is said to be anonymous: the SHA-256 of an address, and all of the path."""

    at = models.DateTimeField(auto_now_add=True)
    client = models.CharField(max_length=64)
    path = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.client} {self.path}"
