"""Statistics: what the numbers of a study say, and what they cannot. NumPy and SciPy only.

    describe     mean, standard deviation and intervals of one cell
    paired       a cell's difference to the baseline, seed by seed
    decision     worse, better or not distinguishable: paired t with Holm's correction over the comparisons
    power        the smallest effect that these seeds could have shown, and the seeds that one would need
    factorial    main effects and two-way interactions of a full factorial, seeds as blocks
    sampling     the test set's error beside the seeds'
    by_class     recall of each class, balanced accuracy, the share of the largest class
    pareto       the cells that no other cell beats on score and cost together
    intervals, sign_flip, corrections     what these stand on

Seeds are paired: a cell's scores are a mapping seed -> score, and what two cells share at a seed cancels in their
difference. A result is a frozen dataclass of plain Python values, ready for JSON. What cannot be computed is None and
never NaN, and the result's `reasons` says why, under the field's name. Nonsense is refused with a UserError.
"""
