"""From records to pages and pictures. Imports no torch."""
