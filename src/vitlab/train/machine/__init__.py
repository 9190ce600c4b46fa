"""The machine's part of a training: what it chooses, by rule or by measuring, and what it has room for."""
