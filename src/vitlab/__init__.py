"""vitlab: what does each component of a vision transformer do?"""

__version__ = "0.1.0"
