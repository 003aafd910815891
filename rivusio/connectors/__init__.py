"""What joins pipelines to other systems.

registry             sources and sinks by name
message              a value on its way, with what is known about it
"""
