"""What made the embedded model: run from a checkout, and not part of the package."""
