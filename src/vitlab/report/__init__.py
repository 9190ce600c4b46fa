"""Reports: from records to pages and pictures. No torch."""
