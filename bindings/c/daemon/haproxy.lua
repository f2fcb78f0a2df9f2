-- haproxy.lua - asks tuile-gate whether a request may pass. For HAProxy 2.6 and later.
--
--   global
--     lua-load-per-thread /usr/share/tuile-gate/haproxy.lua
--   frontend
--     http-request lua.tuile-gate http://127.0.0.1:4180/members X-User,X-Groups
--
-- The URL is a location of tuile-gate; then identity headers, with commas, or - for none: the
-- request has them from then on as tuile-gate says, and in no other spelling. What the gate sets as a
-- cookie is in the variable txn.tuile_set_cookie. What does not pass is answered here.

-- What the gate needs of a request to know its session and its kind.
local sent = { "cookie", "accept", "sec-fetch-mode", "x-requested-with" }

-- Programs behind may take one name for the other: all but letters and digits are the same.
local function folded(name) return (string.lower(name):gsub("[^a-z0-9]", "_")) end

local function forget(txn, name)
  local wanted = folded(name)
  for each in pairs(txn.http:req_get_headers()) do
    if folded(each) == wanted then txn.http:req_del_header(each) end
  end
end

local function first(headers, name)
  local values = headers and headers[name]
  return values and values[0] or nil
end

local function refuse(txn, status, headers)
  local reply = txn:reply({ status = status })
  for _, name in ipairs({ "location", "www-authenticate", "retry-after" }) do
    local value = first(headers, name)
    if value then reply:add_header(name, value) end
  end
  reply:add_header("cache-control", "no-store")
  txn:done(reply)
end

core.register_action("tuile-gate", { "http-req" }, function(txn, url, names)
  local identity, headers, own = {}, {}, txn.http:req_get_headers()
  for name in string.gmatch(names, "[%w-]*%w[%w-]*") do table.insert(identity, name) end
  for _, name in ipairs(sent) do
    if own[name] then
      headers[name] = {}
      for index = 0, #own[name] do headers[name][index + 1] = own[name][index] end
    end
  end
  local host = first(own, "host") or ""
  local scheme = txn.f:ssl_fc() == 1 and "https" or "http"
  local path = txn.f:url() or "/"
  if path:match("^%a[%w+.-]*://") then path = path:gsub("^%a[%w+.-]*://[^/?#]*", "", 1) end
  headers["x-original-url"] = { scheme .. "://" .. host .. path }
  headers["x-original-method"] = { txn.f:method() }
  for _, name in ipairs(identity) do forget(txn, name) end
  local answer = core.httpclient():get({ url = url, headers = headers, timeout = 10000 })
  if not answer or not answer.status or answer.status == 0 then return refuse(txn, 503) end
  if answer.status < 200 or answer.status > 299 then
    local passed_on = { [302] = 302, [401] = 401, [403] = 403 }
    return refuse(txn, passed_on[answer.status] or 503, answer.headers)
  end
  for _, name in ipairs(identity) do
    local value = first(answer.headers, string.lower(name))
    if value and value ~= "" then txn.http:req_set_header(name, value) end
  end
  local cookie = first(answer.headers, "set-cookie")
  if cookie then txn:set_var("txn.tuile_set_cookie", cookie) end
end, 2)
