"""What the usual middleware keeps: a row for each address."""

from django.db import models


class BlockedAddress(models.Model):
    """An address as a client, or whoever spoke for it, wrote it."""

    address = models.CharField(max_length=100, unique=True)


class ListedNetwork(models.Model):
    """A network of a list that is replaced as a whole."""

    network = models.CharField(max_length=50)
