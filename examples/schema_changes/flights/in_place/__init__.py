"""A rename and a removal as `makemigrations` writes them."""
