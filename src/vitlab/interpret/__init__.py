"""What goes on inside a model, read without a hook or branch in the model itself."""
