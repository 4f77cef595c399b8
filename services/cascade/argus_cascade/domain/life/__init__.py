"""The life of cascades: opened, updated, resolved."""
