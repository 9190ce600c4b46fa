"""Records: the files of a run's and a study's folder, each written and read by one class. No torch.

run          a run's folder: spec.json, env.json, data.json, result.json
history      its metrics.jsonl, a line an evaluation
predictions  its predictions.npz
checkpoint   the meta.json of one of its checkpoints
plan         a study's plan.json
execution    a study's execution.json: how each cell is trained, on every kind of host that has trained it
failures     a study's failed.json
outcome      a study's study.json: its answers

A record that is absent is absent; one that is damaged, or of a newer vitlab, is a DataError that names file and field.
"""
