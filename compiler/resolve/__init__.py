"""From typed chains to what a plan is made of: the functions of the stages, and their source.

By their text where it tells all; else by a `probe`: a child process that imports the user's file.

    resolve, function_sources    what each stage calls, and where it is written
    probe, probe_worker, match   chains as they are once the file is imported
    live_stages                  the same of objects in this very process
"""
