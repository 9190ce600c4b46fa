"""A transformer block: where the norms stand and what the residuals add."""
