-- Asks for the paths of a file one after the other, again and again, each thread beginning elsewhere.
-- wrk … -s walk.lua URL -- FILE

local number = 0
function setup(thread)
  thread:set("mine", number)
  number = number + 1
end

function init(args)
  requests = {}
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
  at = math.floor(#requests / 2) * mine
end

function request()
  at = at % #requests + 1
  return requests[at]
end
