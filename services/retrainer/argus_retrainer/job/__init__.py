"""A training as a process of its own: export, train, compare, write. Killed, it goes on where it was."""
