"""Training: from a spec to a finished run directory.

spec          what a run is                     start/    where its weights come from
stacking      which runs can be trained at once split     which pictures are kept for validation
launch        from specs to results             trainer   steps, and what happens between them
run           one of the runs in training       evaluations   what is measured, and when
step/         one step: weights, gradient, update
machine/      what the machine chooses, and what it has room for
run_dir/      what is written, and how a resumed run goes on
"""
