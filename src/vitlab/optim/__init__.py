"""Optimisation: from gradients to steps, by optimisers, schedules, updates and parameter groups."""
