"""Who among equals. A registry folder: one balancer per module, exported as `BALANCER`; its fields are its settings."""
