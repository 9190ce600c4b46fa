"""The learning rate over time."""
