"""What a target's past says about it."""
