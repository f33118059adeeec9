--- What wrk sends to DynamoDB's API: wrk -s calls.lua URL -- OPERATION KEYS, after fill.mjs has made the tables.
-- Prints one JSON object, as bench/load does.
local OPERATIONS = {
  put = { "PutItem", '{"TableName":"Bench","Item":{"K":{"S":"key#%d"},"V":{"S":"' .. ("v"):rep(256) .. '"}}}' },
  get = { "GetItem", '{"TableName":"Bench","Key":{"K":{"S":"key#%d"}}}' },
  query = { "Query", '{"TableName":"BenchRange","KeyConditionExpression":"P = :p",'
    .. '"ExpressionAttributeValues":{":p":{"S":"key#%d"}}}' },
}

-- Signed in form only: neither server has been told of keys, so neither looks further.
local HEADERS = {
  ["Content-Type"] = "application/x-amz-json-1.0",
  ["X-Amz-Date"] = "20150830T123600Z",
  ["Authorization"] = "AWS4-HMAC-SHA256 Credential=bench/20150830/us-east-1/dynamodb/aws4_request, "
    .. "SignedHeaders=host;x-amz-date, Signature=" .. ("0"):rep(64),
}

local PREPARED = 5000 -- requests, so that it is not wrk that is measured

-- wrk runs done() in a Lua state of its own, and the rest in one for each of its threads.
function init(args)
  local operation, keys, prepared, n = OPERATIONS[args[1]], tonumber(args[2]), {}, 0
  HEADERS["X-Amz-Target"] = "DynamoDB_20120810." .. operation[1]
  for i = 1, PREPARED do
    prepared[i] = wrk.format("POST", "/", HEADERS, operation[2]:format(math.random(keys)))
  end
  request = function()
    n = n % PREPARED + 1
    return prepared[n]
  end
end

function done(summary, latency)
  io.write(("RESULT %.0f %d %d %d %d\n"):format(summary.requests * 1e6 / summary.duration, latency:percentile(50),
    latency:percentile(99), latency.max, summary.errors.status + summary.errors.read + summary.errors.timeout))
end
