-- What wrk does beside its closed loop: a request body where one is asked for, and one line of figures at the end.
-- No `request` and no `response` function: wrk then sends one prepared request and calls no Lua while it measures.

local upload = os.getenv("BENCH_UPLOAD")
if upload then
    wrk.method = "POST"
    wrk.body = string.rep("x", tonumber(upload))
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        "load: requests %d microseconds %d bytes %d connect %d read %d write %d status %d timeout %d " ..
            "p50 %d p99 %d p999 %d max %d\n",
        summary.requests, summary.duration, summary.bytes, errors.connect, errors.read, errors.write, errors.status,
        errors.timeout, latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
