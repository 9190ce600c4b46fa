"""How an image becomes tokens."""
