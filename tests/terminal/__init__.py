"""Real processes, real signals, real time: what cannot be seen in virtual time."""
