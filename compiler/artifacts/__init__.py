"""What stands beside the user's file: modules, manifests and an index.

    index    which chains of a file have a module, which have none, and what is up to date
    write    all of it written, whole or not at all

The reading side is the runtime's: `rivusio.artifacts.store`.
"""
