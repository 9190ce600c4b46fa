"""The sets of pictures, one file each; a set's name is its file's name."""
