-- What bench/run compares the gateway's cache with: sessions in a shared dict.
local id = ngx.var.cookie_JSESSIONID
if not id then
    return ngx.exit(401)
end

local sessions = ngx.shared.sessions
local identity = sessions:get(id)

if not identity then
    local answer = ngx.location.capture("/.identgw/authenticate")
    if answer.status ~= 200 then
        return ngx.exit(answer.status)
    end
    local header = answer.header
    identity = table.concat({ header["Authorization"], header["X-User"],
        header["X-Email"], header["X-First-Name"] }, "\n")
    sessions:set(id, identity, tonumber(ngx.var.identgw_bench_ttl))
end

local token, user, email, first_name = identity:match("^(.-)\n(.-)\n(.-)\n(.*)$")
ngx.req.set_header("Authorization", token)
ngx.req.set_header("X-User", user)
ngx.req.set_header("X-Email", email)
ngx.req.set_header("X-First-Name", first_name)
