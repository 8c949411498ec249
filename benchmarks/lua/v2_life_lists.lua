-- Whole lives through API v2: created, claimed and completed, 100 at a time.
local requests = require "v2_requests"
require "report"

local create, claim
local waiting = 0
local claimed = {}

function init(arguments)
  create = requests.create_list(arguments[1])
  claim = requests.claim(requests.LIST)
end

function request()
  local answer = table.remove(claimed)
  if answer then
    return requests.settle(answer)
  end
  if waiting > 0 then
    waiting = waiting - 1
    return claim
  end
  return create
end

function response(status, _, body)
  if status == 201 then
    waiting = waiting + 1
  elseif status == 200 and body:sub(1, 8) == '{"jobs":' then
    claimed[#claimed + 1] = body
  end
end
