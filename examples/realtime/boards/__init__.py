"""Many listeners of one thing: each change has a position, and none is lost on the way to a screen."""
