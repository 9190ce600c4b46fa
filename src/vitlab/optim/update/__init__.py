"""Updates: how the gradient of a step is computed, once, or at a perturbed place too."""
