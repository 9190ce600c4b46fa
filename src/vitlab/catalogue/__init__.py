"""The catalogue: what there is to choose from, with one line about each.

It reads files and imports none of them, but for three things: one component's settings are read from its module, what
does not go together is asked of the rules, and the systems are built, without weights, to count their parameters.
"""
