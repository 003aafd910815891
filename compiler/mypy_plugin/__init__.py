"""What the mypy plugin does, a file for each kind of finding, over the code of `rivusio check`."""
