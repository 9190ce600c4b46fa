"""Studies: cells that differ in a component, trained with paired seeds, compared with statistics.

spec       what a study is: a question, a base, a design, seeds, and what is held equal
design/    which cells there are: one factor at a time, leave one out, factorial, listed, recipe diff
files      studies by name, and study files, Python or JSON
plan       every cell's run, checked and costed without training anything
study_dir  what stands where in a study's directory
execution  one by one, stacked or side by side; autotune measures and chooses
jobs       what is missing, as plain data for an executor
executor/  where jobs run: on this machine, by worker processes
launch     has the jobs run, in their order
outcome    what the records say, with statistics; no torch
"""
