"""The claims of this example, and what they share."""
CLAIMS = ()
BEGINS_AS = "resolvers"
