"""Stacks: a running example with its services, on this machine or in containers."""
