"""The lists, asked for in six ways: modules with the same functions, whose rows `shapes` turns into JSON."""
