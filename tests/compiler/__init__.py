"""The phases of the compiler, folder by folder; golden cases stand beside their tests."""
