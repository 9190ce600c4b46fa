"""The studies that come with vitlab: a file each, found by its name from any folder, `vitlab study positions:digits`.

A study is a file whose functions return a StudySpec; `study` is the one that is called if none is named, and `digits`
the same question for a laptop. The docstring has what is asked, the commands with their costs, and what was published.
"""
