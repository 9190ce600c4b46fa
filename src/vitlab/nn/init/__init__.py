"""Initial weights, by name."""
