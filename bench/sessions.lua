-- wrk -s sessions.lua URL -- COUNT PREFIX ORDER COOKIE: a request of each of
-- COUNT sessions, in turn or at random; COOKIE is the header's value up to the
-- session's id.
local count, is_random, before, after
local last = 0
local number = 0

function init(args)
    count = tonumber(args[1])
    local parts = { " HTTP/1.1", "Host: 127.0.0.1" }
    for name, value in pairs(wrk.headers) do
        if name ~= "Host" then
            parts[#parts + 1] = name .. ": " .. value
        end
    end
    before = table.concat(parts, "\r\n") .. "\r\nCookie: " .. args[4] .. args[2]
    after = "\r\n\r\n"
    is_random = args[3] == "random"
    math.randomseed(os.time())
end

function request()
    last = last + 1
    if is_random then
        last = math.random(count)
    elseif last > count then
        last = 1
    end
    -- no request twice, or those of few sessions would cost wrk less
    number = number + 1
    return "GET /?" .. number .. before .. string.format("%08d", last) .. after
end
