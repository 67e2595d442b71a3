"""Where HTTP meets the limiter: who asks, which limit, what the client is told."""
