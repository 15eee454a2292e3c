"""HTTP and WebSocket: translates between the wire and sessions, and decides nothing else."""
