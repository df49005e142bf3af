"""Who may be asked at all. A registry folder: one reason to leave a target out per module, exported as `CONDITION`."""
