"""The harness: starts stacks, runs experiments, keeps write-ups true."""
