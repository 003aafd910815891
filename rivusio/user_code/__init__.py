"""A user's file: imported as Python would run it, and asked for its pipelines."""
