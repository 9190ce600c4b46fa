"""Patch embeddings: how an image becomes tokens."""
