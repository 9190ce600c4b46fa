"""A training step of R runs: their weights, the gradient, the update, and what a batch scored."""
