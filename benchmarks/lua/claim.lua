-- Claims. The caller sees to it that the queue does not run dry: 204 is a success to wrk.
local requests = require "requests"
require "report"

local claim

function init()
  claim = requests.claim()
end

function request()
  return claim
end
