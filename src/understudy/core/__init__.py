"""Decides: pure functions and plain values, standard library only.

Nothing here opens a socket, reads a clock, throws dice of its own or awaits. Time arrives as `now_s` (monotonic seconds),
chance as `Dice`; what should happen leaves as an `Action`.
"""
