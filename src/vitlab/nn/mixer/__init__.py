"""Mixers: how tokens speak to each other in a block; normally self-attention."""
