-- The load that wrk puts on a program: one request, built once and repeated; the summary is one line of JSON.
local body = assert(io.open(assert(os.getenv("BENCH_BODY")), "rb"))
wrk.method = "POST"
wrk.body = body:read("*a")
body:close()
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. assert(os.getenv("BENCH_CALLER_KEY"))

function done(summary, latency, _)
  local failed = summary.errors
  io.write(string.format(
    '{"requests": %d, "bytes": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, '
      .. '"connect_errors": %d, "read_errors": %d, "write_errors": %d, "status_errors": %d, "timeouts": %d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    failed.connect, failed.read, failed.write, failed.status, failed.timeout))
end
