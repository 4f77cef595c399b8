"""What the service knows: pure, without I/O."""
