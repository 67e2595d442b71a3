"""A GraphQL API that cannot be asked for too much: prices, batches, and guards at types."""
