"""Numbers that nobody has to count: estimated, cut off, or kept while they change."""
