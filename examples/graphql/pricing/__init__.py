"""A GraphQL API that cannot be asked for too much: a price before anything runs, batches, and guards at types."""
