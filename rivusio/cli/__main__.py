"""`python -m rivusio.cli`, which is the command `rivusio`."""

from rivusio.cli import main

if __name__ == "__main__":
    main(prog_name="rivusio")
