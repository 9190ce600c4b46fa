"""How a token learns where it stands."""
