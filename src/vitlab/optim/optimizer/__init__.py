"""How a step is taken from a gradient."""
