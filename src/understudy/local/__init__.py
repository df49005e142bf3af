"""Model servers of our own: child processes that hold a model and speak Chat Completions on loopback.

    supervisor or Router  -- Keeper --  stdin, stdout  --  understudy.local.server (one process per target)
    worker, Router        -- HostedClient ------- HTTP, with a one-time secret -------^

A model is hundreds of times as large as a worker, and its libraries are native code that holds Python's lock and may crash:
it is in one process of its own, shared by all workers.

It is started with the router, not by the first request that needs it: a fallback is asked when everything else is down, which is no time
to find out that the model does not load, or to wait half a minute for it. Nobody waits for that start: until it is up its target fails
at once, as `not_ready`, with the reason.

The child ends with whoever started it, also by `kill -9`: it reads its standard input, which nobody writes to, and ends
when that does; on Linux the kernel ends it even while native code keeps it from reading.
"""
