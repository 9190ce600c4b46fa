"""Complete settings that really train a model; each docstring has the command, the score and the time."""
