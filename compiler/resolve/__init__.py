"""From typed chains to what a plan is made of: the functions of the stages, and their source.

By their text where it tells all; else by a `probe`: a child process that imports the user's file.

    resolve, stage_infos         which chains can be compiled; what must be known of each stage
    function_sources             the source of what a stage calls
    known_functions              what the text alone tells of functions
    probe, probe_worker, match   chains as they are once the file is imported
    live_stages                  the same of objects in this very process
"""
