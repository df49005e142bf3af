"""Keeps trouble small: breakers, cool-downs, backoff, rate limits, retry budget."""
