"""What every room shares: names and dims, errors, seeds, provenance."""
