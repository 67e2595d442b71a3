"""What the usual middleware keeps: a row for each address."""

from django.db import models


class BlockedAddress(models.Model):
    """An address as a client, or whoever spoke for it, wrote it; or a network of a list."""

    address = models.CharField(max_length=100, unique=True)
