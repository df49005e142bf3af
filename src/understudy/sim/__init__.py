"""The same walks as in production, performed in virtual time against providers that fail on schedule.

    world        the providers: what each attempt meets, and the truth about who is up
    specs        how each fault's settings are drawn
    scenario     one seed made into targets, routes, faults, arrivals and people who leave
    driver       performs walks from one agenda of events: no sockets, no event loop, no clock
    watch        a scoreboard under observation, with books of its own
    invariants   what must hold at every step, a sentence each
    campaign     many seeds, their figures, and how to run a failing one again
    loop, client for the engine itself: an event loop whose time jumps, and an HTTP client that plays the world

Chance is seeded and nothing else decides anything: the same fault and seed give the same run, event by event.
"""
