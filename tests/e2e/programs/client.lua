-- SPDX-License-Identifier: Apache-2.0
-- LuaSocket's socket.http. Arguments: see plan() in tests/support/coverage.py.
local http = require(string.match(arg[1], "^https:") and "ssl.https" or
	"socket.http")
local ltn12 = require("ltn12")

local base, method, path, body, count, mode, file = table.unpack(arg)
http.TIMEOUT = 50

local function content()
	local input = assert(io.open(file, "rb"))
	local data = input:read("a")

	input:close()
	return data
end

local sizes = {}

for size in string.gmatch(string.match(body, "^sizes=(.*)") or "", "%d+") do
	sizes[#sizes + 1] = tonumber(size)
end

local function request_of(target, sink, number)
	local request = { url = base .. target, method = method, sink = sink,
		headers = { ["user-agent"] = "client" } }
	local size = #sizes > 0 and sizes[number % #sizes + 1]

	if size == 0 then
		request.method = "GET"
	elseif size then
		request.source = ltn12.source.string(
			string.sub(content(), 1, size))
		request.headers["content-length"] = size
	elseif body == "small" then
		request.source = ltn12.source.string("hello world!")
		request.headers["content-length"] = 12
	elseif body == "chunked" then
		request.source = ltn12.source.file(io.open(file, "rb"))
	elseif body ~= "none" then
		local data = content()

		request.source = ltn12.source.string(data)
		request.headers["content-length"] = #data
	end
	return request
end

local function one(target, number)
	local parts = {}
	local ok, status = http.request(request_of(target,
		ltn12.sink.table(parts), number))

	if not ok then
		return target .. " error " .. tostring(status)
	end
	return string.format("%s %s %d", target, status, #table.concat(parts))
end

if tonumber(count) > 1 then
	for i = 0, count - 1 do
		print(one(string.format("%s?i=%d", path, i), i))
	end
else
	print(one(path, 0))
end
