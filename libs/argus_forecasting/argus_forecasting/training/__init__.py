"""From an archive to a trained model."""
