"""The parts of a vision transformer, one folder a family, one file a variant.

Each family's `_base.py` states its contract; every other file of the folder is a variant, selected by the file's name.
Shape letters: `B` batch, `C` channels, `P` patch side, `L` patches, `N` tokens (with prefix), `D` embed_dim,
`H` attention heads, `K` head_dim, `M` MLP width, `Y` classes, `W` width of the pooled representation.
"""
