"""The ground that everything stands on: specs, files, errors, words. No torch."""
