"""What joins pipelines to other systems: sources and sinks by name, messages between them."""
