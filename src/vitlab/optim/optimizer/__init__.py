"""Optimisers: how a step is taken from a gradient."""
