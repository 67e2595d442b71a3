"""A contract that both sides keep: what it asks for, what a change has to prove, what stays until when."""
