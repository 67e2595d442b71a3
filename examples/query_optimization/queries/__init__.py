"""Six lists, asked for in five ways: modules with the same functions, whose rows `shapes` turns into JSON."""
