"""``python -m bench cascades``: false cascades of healthy fleets, failures found, and how long a tick takes."""
