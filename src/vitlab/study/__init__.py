"""Studies: cells that differ in a component, trained with paired seeds, compared with statistics.

spec       what a study is: a question, a base, a design, seeds, and what is held equal
design/    which cells there are: one factor at a time, leave one out, factorial, listed, recipe diff
files      study files, Python or JSON
plan       every cell's run, checked and costed without training anything
folder     what stands where in a study's directory
ways       one by one, stacked or side by side: measured, chosen, recorded
crew       the processes that train; worker is one of them
launch     runs what is missing
outcome    what the records say, with statistics; no torch
"""
