"""The data plane's door: model traffic in every wire format, and nothing else."""
