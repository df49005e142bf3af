"""An LLM provider router with fallback: when the lead cannot go on, the understudy steps in, and the audience is told."""

__version__ = "0.1.0"
