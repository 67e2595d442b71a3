"""Ten minutes of made-up traffic, the same for the same seed, and what a rule makes of it."""
