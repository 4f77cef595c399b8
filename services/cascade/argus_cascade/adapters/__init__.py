"""What the service meets outside."""
