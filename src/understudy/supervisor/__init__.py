"""Processes: one supervisor that holds the configuration, and N data-plane workers that carry the traffic.

    supervisor  <- link ->  worker 0      each worker listens on a socket of its own that the supervisor bound and keeps
                <- link ->  worker 1      open (SO_REUSEPORT): when a worker dies, what was queued waits for the next one

Down the link go the configuration, siblings' news, operators' words, questions and the order to drain; up go readiness,
news, answers. A worker that loses its link drains and ends: nothing serves without its supervisor.
"""
