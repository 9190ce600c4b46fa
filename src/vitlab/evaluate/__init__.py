"""Evaluators: what a trained model can do, measured."""
