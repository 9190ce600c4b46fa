"""Sources: what others' checkpoints are called and how they are laid out, one file a source."""
