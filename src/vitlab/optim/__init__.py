"""From gradients to steps: rules, schedules, updates and parameter groups."""
