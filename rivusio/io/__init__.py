"""What is read and written: lines in, results and dead letters out.

lines, line_items    an input's lines as bytes, and what each of them holds
results              a result as a line
output_files         a file that takes another's place once it is whole
dead_letters         a file of what failed
"""
