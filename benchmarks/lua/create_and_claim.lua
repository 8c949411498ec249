-- A create, a claim, a create, …: the queue stays as long as it is.
local requests = require "requests"
require "report"

local creates, claim
local sent = 0

function init(arguments)
  creates = requests.creates(arguments[1])
  claim = requests.claim()
end

function request()
  sent = sent + 1
  if sent % 2 == 0 then
    return claim
  end
  return creates[(sent - 1) / 2 % 100 + 1]
end
