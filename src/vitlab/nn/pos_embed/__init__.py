"""Position embeddings: how a token learns where it stands."""
