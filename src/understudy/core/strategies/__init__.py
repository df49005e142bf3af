"""What "better" means. A registry folder: one strategy per module, exported as `STRATEGY`; its fields are its settings."""
