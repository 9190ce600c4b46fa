"""Speed and memory, in turn with other libraries."""
