"""The lab: the write-ups, their code and their experiments as pages, live while a stack runs."""
