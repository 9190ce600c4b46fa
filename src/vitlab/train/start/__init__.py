"""Starts: where the weights of a run come from."""
