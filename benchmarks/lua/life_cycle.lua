-- Whole lives: each job is created, claimed and completed, each step a request of its own.
local requests = require "requests"
require "report"

local creates, claim
local sent, waiting = 0, 0
local claimed = {}

function init(arguments)
  creates = requests.creates(arguments[1])
  claim = requests.claim()
end

function request()
  local uid = table.remove(claimed)
  if uid then
    return requests.complete(uid)
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
  elseif status == 200 and body:find('"inprogress"', 1, true) then
    claimed[#claimed + 1] = body:match('"uid": ?"([^"]+)"')
  end
end
