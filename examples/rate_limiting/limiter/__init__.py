"""The token bucket, and how it is kept fast and answering; knows nothing of HTTP or Django."""
