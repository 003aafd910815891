"""What the commands that need the compiler share: check, compile and explain.

compiler_modules     the compiler's modules, imported when a command needs them
options              the options that these commands have in common
json_output          what is written for editors and CI, also where a command fails
compilation          files compiled, or only planned; the JSON and the exit code of that
up_to_date           `rivusio compile --check`
"""
