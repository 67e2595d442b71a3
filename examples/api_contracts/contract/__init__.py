"""A contract that both sides keep: requests are read by it, changes prove what they have read, old answers stay."""
