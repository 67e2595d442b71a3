"""Lists that stay cheap: pages by position, and a search that an index serves."""
