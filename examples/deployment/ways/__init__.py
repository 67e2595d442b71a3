"""The ways of operating this service: one module each, and what they have in common."""
