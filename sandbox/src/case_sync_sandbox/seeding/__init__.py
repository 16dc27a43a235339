"""Core: believable data for both halves of the sandbox, the same for the same random seed."""
