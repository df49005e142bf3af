"""The control plane's HTTP door: health, decisions, breakers, counts."""
