"""The `quire` command: arguments in, exit codes out (0 ok, 1 failed, 2 usage)."""
