-- Whole lives through API v2: each job is created, claimed and completed, each step a request of its own.
local requests = require "v2_requests"
require "report"

local creates, claim = {}, nil
local sent, waiting = 0, 0
local claimed = {}

function init(arguments)
  for number = 1, 100 do
    creates[number] = requests.create(arguments[1], number)
  end
  claim = requests.claim(1)
end

function request()
  local job = table.remove(claimed)
  if job then
    return requests.complete(job[1], job[2])
  end
  if waiting > 0 then
    waiting = waiting - 1
    return claim
  end
  sent = sent + 1
  return creates[sent % 100 + 1]
end

function response(status, _, body)
  if status == 201 then
    waiting = waiting + 1
  elseif status == 200 and body:sub(1, 8) == '{"jobs":' then
    claimed[#claimed + 1] = { body:match('"uid":"([^"]+)".-"lease":{"id":"([^"]+)"') }
  end
end
