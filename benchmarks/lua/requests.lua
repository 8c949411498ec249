-- The requests of API v1, formatted once, so that wrk spends its time on the server's.
local requests = {}

local headers = {
  ["Content-Type"] = "application/json",
  ["X-Name"] = "bench",
  ["X-Queue"] = "bench",
}

function requests.claim()
  return wrk.format("GET", "/api/v1/jobs/next", headers)
end

function requests.complete(uid)
  return wrk.format("POST", "/api/v1/jobs/" .. uid, headers, '{"status":"complete"}')
end

-- One create for each priority, in an order without order.
function requests.creates(content)
  local formatted = {}
  for step = 1, 100 do
    local priority = step * 37 % 100 + 1
    local body = string.format('{"content":%s,"valid_for":864000,"priority":%d}', content, priority)
    formatted[step] = wrk.format("PUT", "/api/v1/jobs/create", headers, body)
  end
  return formatted
end

return requests
