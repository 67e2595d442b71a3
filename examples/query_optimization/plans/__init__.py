"""What the database does for a request: how many queries, by which plans, over which indexes."""
