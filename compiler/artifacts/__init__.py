"""What stands beside the user's file: modules, manifests and an index, written whole or not at all.

The reading side is the runtime's: `rivusio.artifacts.store`.
"""
