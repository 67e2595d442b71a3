"""Who is attacking, told from people, in bounded memory."""
