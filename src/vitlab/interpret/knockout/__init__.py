"""Knock-outs: what a trained model loses without one of its parts."""
