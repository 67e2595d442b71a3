"""The schema of a busy table, changed while old and new code use it: renamed, retired, indexed."""
