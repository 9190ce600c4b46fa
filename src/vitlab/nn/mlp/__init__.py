"""The per-token network of a block."""
