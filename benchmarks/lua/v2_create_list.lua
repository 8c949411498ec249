-- Creates through API v2, in lists of 100.
local requests = require "v2_requests"
require "report"

local create

function init(arguments)
  create = requests.create_list(arguments[1])
end

function request()
  return create
end
