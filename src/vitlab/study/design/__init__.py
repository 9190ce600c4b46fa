"""Designs: which cells a study has."""
