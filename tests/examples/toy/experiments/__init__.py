"""Claims that are true of `fast` and untrue of `slow`."""

CLAIMS = ("it-answers", "it-keeps-answering")
