"""What operators run beside the servers: cleaning up, moving to another store."""
