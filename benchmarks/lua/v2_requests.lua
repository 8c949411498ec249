-- The requests of API v2, formatted once, so that wrk spends its time on the server's.
local requests = {}

local headers = { ["Content-Type"] = "application/json", ["X-Name"] = "bench" }
local minimal = { ["Content-Type"] = "application/json", ["X-Name"] = "bench", ["Prefer"] = "return=minimal" }
local queue = "/api/v2/queues/bench"

requests.LIST = 100

local function job(content, number)
  return string.format('{"content":%s,"priority":%d}', content, number * 37 % 100 + 1)
end

function requests.create(content, number)
  return wrk.format("POST", queue .. "/jobs", headers, job(content, number))
end

function requests.create_list(content)
  local jobs = {}
  for number = 1, requests.LIST do
    jobs[number] = job(content, number)
  end
  return wrk.format("POST", queue .. "/jobs", minimal, "[" .. table.concat(jobs, ",") .. "]")
end

function requests.claim(most)
  return wrk.format("POST", queue .. "/claim", headers, string.format('{"max":%d}', most))
end

function requests.complete(uid, lease)
  return wrk.format("POST", queue .. "/jobs/" .. uid .. "/complete", headers, '{"lease":"' .. lease .. '"}')
end

-- What the answer of a claim holds, completed at once.
function requests.settle(answer)
  local done = {}
  for uid, lease in answer:gmatch('"uid":"([^"]+)".-"lease":{"id":"([^"]+)"') do
    done[#done + 1] = string.format('{"uid":"%s","lease":"%s"}', uid, lease)
  end
  return wrk.format("POST", queue .. "/settle", minimal, '{"complete":[' .. table.concat(done, ",") .. "]}")
end

return requests
