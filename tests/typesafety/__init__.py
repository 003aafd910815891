"""What type checkers and the plugin say of joins, right and wrong."""
