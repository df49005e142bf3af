"""Acts: performs what a walk asks for, on real sockets and a real clock, or on whatever stands in for them."""
