"""A part beside the patch embedding that has a loss of its own."""
