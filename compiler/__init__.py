"""The compiler: imported as `rivusio.compiler`, whatever folder it is read from.

It is empty in this version. A chain always runs interpreted, and
`rivusio.mode("compiled")` says so.
"""

if __name__ != "rivusio.compiler":
    message = f"import this package as rivusio.compiler, not as {__name__}"
    raise ImportError(message)
