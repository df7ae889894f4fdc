-- Sends prepared requests, each once, and starts over only when they have run out.
local requests, last = {}, 0

function init(arguments)
  local file, length = assert(io.open(arguments[1], "rb")), tonumber(arguments[2])
  for request in function() return file:read(length) end do
    requests[#requests + 1] = request
  end
  file:close()
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format("%d %d %d %d", summary.requests, summary.duration, errors.status, broken))
end
