"""The inside of a model, looked at without a hook or branch in the model itself."""
