"""Formats: what a model of ours is exported to, one file a format."""
