"""The compiler: imported as `rivusio.compiler`, whatever folder it is read from.

What is there so far is its front end, behind `rivusio check`: it finds the chains of a file
(`finder`), lets mypy type them in a child process (`oracle`), and says which joints do not fit
(`check`). Nothing is compiled yet: a chain always runs interpreted, and
`rivusio.mode("compiled")` says so.
"""

if __name__ != "rivusio.compiler":
    message = f"import this package as rivusio.compiler, not as {__name__}"
    raise ImportError(message)
