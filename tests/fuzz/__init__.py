"""Records that were damaged on the disk, or that somebody made up."""
