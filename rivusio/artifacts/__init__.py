"""What the compiler has written beside a user's file: found, checked, and loaded once.

store, manifest    the artifacts of a file, and what stands in one
fitting, guards    which of them is of this chain, and whether it is still true
program            a loaded artifact, as far as a run must know it
loader, mode       compiled or interpreted, and the one reason why
tracebacks         errors show the user's lines, not the generated ones
"""
