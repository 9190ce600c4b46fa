"""Pooling: how the tokens become one vector for the head."""
