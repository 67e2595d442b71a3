"""The schema of a busy table, changed while old and new code use it: patiently, in batches, and back."""
