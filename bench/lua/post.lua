-- Posts what a file has, a path and a body in each line, with a tab between them. NUMBER in a body becomes a word
-- that no other request has.
-- wrk … -s post.lua URL -- FILE RUN

local number = 0
function setup(thread)
  thread:set("mine", number)
  number = number + 1
end

function init(args)
  wrk.method = "POST"
  posts, at = {}, 0
  for line in io.lines(args[1]) do
    local path, body = line:match("^([^\t]*)\t(.*)$")
    posts[#posts + 1] = { path, body }
  end
  run = args[2] .. "x" .. mine .. "x"
end

function request()
  at = at + 1
  local post = posts[at % #posts + 1]
  return wrk.format("POST", post[1], nil, (post[2]:gsub("NUMBER", run .. at)))
end
