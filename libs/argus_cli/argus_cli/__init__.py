"""The ``argus`` command: everything a person types, over the same code that the services run."""
