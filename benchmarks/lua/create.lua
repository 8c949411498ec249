-- Creates, of every priority.
local requests = require "requests"
require "report"

local creates
local sent = 0

function init(arguments)
  creates = requests.creates(arguments[1])
end

function request()
  sent = sent + 1
  return creates[sent % 100 + 1]
end
