--- Random choices, repeatable by math.randomseed().
local chance = {}

function chance.one_of(list)
  return list[math.random(#list)]
end

function chance.percent(percent)
  return math.random(100) <= percent
end

--- One of a table of weights: { put = 3, get = 1 }. `names` gives the order, so that a seed decides alone.
function chance.weighted(names, weights)
  local total = 0
  for _, name in ipairs(names) do total = total + weights[name] end
  local at = math.random(total)
  for _, name in ipairs(names) do
    at = at - weights[name]
    if at <= 0 then return name end
  end
end

return chance
