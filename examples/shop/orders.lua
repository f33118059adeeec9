--- Orders: one partition for each customer; what was bought stands in the order itself, at the price of that day.
-- Money is counted in decimals: 3 * 0.1 as Lua's floats would have it is 0.30000000000000004.
local function total(order)
  local sum = perilune.decimal(0)
  for _, line in ipairs(order.Lines) do sum = sum + line.Quantity * perilune.decimal(line.Price) end
  return sum
end

local function is_line(line)
  return perilune.type(line) == "M" and math.type(line.Quantity) == "integer" and perilune.type(line.Price) == "N"
end

-- The first thing that is wrong with an order's lines, or nil.
local function line_problem(lines)
  if perilune.type(lines) ~= "L" or #lines == 0 then return "an order needs Lines" end
  for i, line in ipairs(lines) do
    if not is_line(line) then return "Lines[" .. i .. "] needs a whole Quantity and a Price" end
  end
  return nil
end

-- What may follow what. An order that is new may begin as "open" only.
local follows = {
  open      = { open = true, paid = true, cancelled = true },
  paid      = { paid = true, shipped = true },
  shipped   = {},
  cancelled = {},
}

return {
  table         = "Orders",
  partition_key = "CustomerID:S",
  sort_key      = "OrderID:S",

  indexes = {
    -- Total is stored nowhere but here: the function computes it, and the index sorts by it.
    ByStatus = {
      partition_key = "Status:S", sort_key = "Total:N",
      project = function(order)
        if order.Status == "cancelled" then return nil end     -- no entry
        return { Status = order.Status, Total = total(order), Lines = #order.Lines }
      end,
    },
  },

  before_write = function(old, new)
    if new == nil then return nil, "an order is never removed: cancel it" end
    local problem = line_problem(new.Lines)
    if problem then return nil, problem end
    if old == nil and new.Status ~= "open" then return nil, "an order begins as open" end
    if old ~= nil and not follows[old.Status][new.Status] then
      return nil, "an order that is " .. old.Status .. " cannot become " .. tostring(new.Status)
    end
    return new
  end,

  -- IF @total {"total":33.49}: the shop charges what the customer saw.
  conditions = {
    total = function(old, new, args) return total(new) == perilune.decimal(args.total) end,
  },
}
