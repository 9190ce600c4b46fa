"""Which cells a study has."""
