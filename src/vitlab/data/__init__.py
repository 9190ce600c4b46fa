"""Pictures: decoded once, split, ordered and loaded."""
