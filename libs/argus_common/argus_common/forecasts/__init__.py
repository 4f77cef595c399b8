"""What the services that follow a fleet's forecasts step by step share: reading, gathering, remembering, telling."""
