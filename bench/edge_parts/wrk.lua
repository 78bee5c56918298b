-- What wrk sends and says for bench/edge.
--
--     wrk … -s wrk.lua URL [-- FILE]
--
-- With FILE its content is posted, and each answer that is not compressed has to hold "success":true. At the end a line
--
--     WRK requests seconds bytes median-microseconds p99-microseconds failed

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    refused = 0
    if arguments[1] then
        local file = assert(io.open(arguments[1]))
        wrk.method = "POST"
        wrk.body = file:read("*a")
        wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
        response = function(status, headers, body)
            if status == 200 and not headers["Content-Encoding"] and not body:find('"success":true', 1, true) then
                refused = refused + 1
            end
        end
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    for _, thread in ipairs(threads) do
        failed = failed + thread:get("refused")
    end
    io.write(string.format("WRK %d %.6f %d %.1f %.1f %d\n", summary.requests, summary.duration / 1e6, summary.bytes,
        latency:percentile(50), latency:percentile(99), failed))
end
