-- wrk -s load.lua URL -- COUNT PAUSE_MS SESSION...: all routes of somebody who is
-- in. With a pause each of COUNT connections asks soon after it was made, and then
-- waits PAUSE_MS at most before each request.
local sessions, count, pause
local begun = 0
local SOON_MS = 2000
local threads = {}
counts = {}

function setup(thread)
    threads[#threads + 1] = thread
end

function init(args)
    count, pause = tonumber(args[1]), tonumber(args[2])
    sessions = { unpack(args, 3) }
    if pause == 0 then
        delay = nil
    end
    math.randomseed(os.time())
end

function delay()
    begun = begun + 1
    return math.random(begun <= count and SOON_MS or pause)
end

function request()
    local what = math.random()
    local headers = { JSESSIONID = sessions[math.random(#sessions)] }
    if what < 0.6 then
        return wrk.format("GET", "/whoami", headers)
    elseif what < 0.85 then
        return wrk.format("GET", "/userprofile", headers)
    elseif what < 0.95 then
        headers["Content-Type"] = "application/json"
        return wrk.format("PATCH", "/userprofile", headers,
            string.format('{"nickname":"n%d"}', math.random(1e6)))
    end
    return wrk.format("GET", "/authenticate", headers)
end

function response(status)
    counts[status] = (counts[status] or 0) + 1
end

function done(summary, latency)
    local all = {}
    for _, thread in ipairs(threads) do
        for status, count in pairs(thread:get("counts")) do
            all[status] = (all[status] or 0) + count
        end
    end
    for status, count in pairs(all) do
        print("status", status, count)
    end
    for kind, count in pairs(summary.errors) do
        print("error", kind, count)
    end
    for _, percent in ipairs({ 50, 99, 99.9 }) do
        print("latency", percent, latency:percentile(percent))
    end
    print("latency", 100, latency.max)
end
