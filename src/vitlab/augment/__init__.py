"""Augmentation: batched, per sample, on the device."""
