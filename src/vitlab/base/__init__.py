"""What everything stands on: specs, records, mistakes. No torch."""
