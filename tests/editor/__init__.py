"""What editors make of the schemas."""
