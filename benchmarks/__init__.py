"""What rivusio costs, measured against loops that an expert would write by hand."""
