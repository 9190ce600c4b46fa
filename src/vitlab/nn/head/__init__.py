"""The classifier on the pooled representation."""
