"""Attention: how queries find keys, the mechanism inside a self-attention mixer."""
