"""The run, the loop and the state."""
