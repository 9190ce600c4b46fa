"""Normalisation of tokens."""
