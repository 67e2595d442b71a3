"""The harness: starts stacks, runs experiments, keeps write-ups true."""

from nexus.surroundings import settle

settle()
