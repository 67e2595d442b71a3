"""Who is refused, decided in memory; knows nothing of HTTP, Django, Redis or SQL."""
