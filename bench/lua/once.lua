-- Asks for every path of a file once, and says in how many seconds they were answered: "Once: 1000 in 1.234567".
-- wrk … -s once.lua URL -- FILE THREADS

local ffi = require("ffi")
ffi.cdef("typedef struct { long sec; long nsec; } moment; int clock_gettime(int clock, moment *now);")
local moment = ffi.new("moment")

local function now()
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.sec) + tonumber(moment.nsec) / 1e9
end

local number, threads = 0, {}
function setup(thread)
  thread:set("mine", number)
  number = number + 1
  threads[number] = thread
end

function init(args)
  requests, at, answered, began, ended = {}, 0, 0, 0, 0
  local line = 0
  for path in io.lines(args[1]) do
    if line % tonumber(args[2]) == mine then
      requests[#requests + 1] = wrk.format("GET", path)
    end
    line = line + 1
  end
end

function request()
  if at == 0 then
    began = now()
  end
  at = at + 1
  return requests[at]
end

function delay()
  return at < #requests and 0 or 600000
end

function response(status)
  if answered < #requests then
    answered = answered + 1
    ended = now()
    if answered == #requests then
      wrk.thread:stop()
    end
  end
end

function done()
  local answered, began, ended = 0, math.huge, 0
  for _, thread in ipairs(threads) do
    answered = answered + thread:get("answered")
    began = math.min(began, thread:get("began"))
    ended = math.max(ended, thread:get("ended"))
  end
  io.write(string.format("Once: %d in %.6f\n", answered, ended - began))
end
