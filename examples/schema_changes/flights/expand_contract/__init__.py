"""The same rename and removal in five steps, each of which the code before it survives."""
