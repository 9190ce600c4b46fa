"""The directory of a run in training: who may write it, what is written when, and how a resumed run goes on."""
