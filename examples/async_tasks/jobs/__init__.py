"""Jobs that are not lost: a row is the truth, an outbox tells the broker, a fence guards each run."""
