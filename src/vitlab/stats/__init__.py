"""Statistics: what the numbers of a study say, and what they cannot. NumPy and SciPy only.

    crossed       means and contrasts of cells, over seeds and over pictures
    permutation   a contrast's test over runs; sign_flip: the same of paired ones; inversion: the interval a test leaves
    decision      worse, better or not distinguishable: both tests, Holm's correction over all claims of a study
    describe      mean, median, worst seed and intervals of one cell
    factorial     main effects and two-way interactions as contrasts
    power         the seeds that one would need
    correlation   what pairing relies on
    by_class      recall of each class, balanced accuracy, the share of the largest class
    pareto        the cells that no other cell beats on score and cost together
    intervals, corrections     what these stand on

A result is a frozen dataclass of plain Python values, ready for JSON. What cannot be computed is None and never NaN,
and the result's `reasons` says why, under the field's name. Nonsense is refused with a UserError. How often the
decisions err, by simulation, is in docs/statistics.md.
"""
