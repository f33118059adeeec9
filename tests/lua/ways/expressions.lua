--- Random expressions with their placeholders, most of them right.
local chance = require "ways.chance"
local values = require "ways.values"

local one_of, percent = chance.one_of, chance.percent

local expressions = {}
expressions.__index = expressions

--- What an operation's expressions share: ExpressionAttributeNames and -Values.
function expressions.new(table_name)
  return setmetatable({ table = table_name, names = {}, values = {}, count = 0 }, expressions)
end

function expressions:place(list, sign, content)
  self.count = self.count + 1
  local name = sign .. (sign == "#" and "n" or "v") .. self.count
  list[name] = content
  return name
end

function expressions:value(value)
  return self:place(self.values, ":", value)
end

local BARE = { P = true, K = true, G = true, A = true, T = true, Bin = true, Tags = true, L = true, M = true, V = true,
               x = true, y = true, z = true, Unset = true }

function expressions:name(name)
  if BARE[name] and percent(70) then return name end
  return self:place(self.names, "#", name)
end

local TOPS = { "A", "A", "G", "T", "Bin", "Tags", "Tags", "L", "L", "M", "M", "Name", "a-b.c", "V", "Unset", "P", "K" }

--- A path, and the attribute that it begins with.
function expressions:path(tops)
  local top = one_of(tops or TOPS)
  local path = self:name(top)
  if top == "L" or top == "V" and percent(40) then
    if percent(70) then path = path .. "[" .. math.random(0, 3) .. "]" end
    if percent(20) then path = path .. "." .. self:name("x") end
  elseif top == "M" or top == "V" and percent(40) then
    if percent(80) then path = path .. "." .. self:name(one_of { "x", "y", "z", "a b" }) end
    if percent(20) then path = path .. "[0]" end
  end
  return path, top
end

-- ---- conditions -----------------------------------------------------------------------------------------

local COMPARATORS = { "=", "<>", "<", "<=", ">", ">=" }

function expressions:operand()
  local pick = math.random(10)
  if pick <= 5 then
    return (self:path())
  elseif pick == 6 then
    return "size(" .. self:path() .. ")"
  end
  return self:value(percent(60) and { N = one_of(values.SMALL) } or values.any(1))
end

local function like(self, top)
  return self:value(percent(85) and values.like(self.table, top) or values.any(1))
end

local SIMPLE = {
  function(self)
    local path, top = self:path()
    return ("%s %s %s"):format(path, one_of(COMPARATORS), like(self, top))
  end,
  function(self) return ("%s %s %s"):format(self:operand(), one_of(COMPARATORS), self:operand()) end,
  function(self)
    local path, top = self:path()
    return ("%s BETWEEN %s AND %s"):format(path, like(self, top), like(self, top))
  end,
  function(self)
    local path, top = self:path()
    local list = {}
    for i = 1, math.random(3) do list[i] = like(self, top) end
    return ("%s IN (%s)"):format(path, table.concat(list, ", "))
  end,
  function(self) return ("attribute_exists(%s)"):format(self:path()) end,
  function(self) return ("attribute_not_exists(%s)"):format(self:path()) end,
  function(self)
    local kind = one_of { "S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL", "X" }
    return ("attribute_type(%s, %s)"):format(self:path(), self:value { S = kind })
  end,
  function(self)
    local path, top = self:path { "T", "G", "Bin", "M", "Name", "P" }
    return ("begins_with(%s, %s)"):format(path, like(self, top))
  end,
  function(self)
    return ("contains(%s, %s)"):format(self:path { "T", "Tags", "L", "Bin", "M" }, self:value(values.any(0)))
  end,
  function(self)
    return ("size(%s) %s %s"):format(self:path(), one_of(COMPARATORS), self:value { N = one_of(values.SMALL) })
  end,
}

function expressions:condition(depth)
  local pick = math.random(10)
  if depth == 0 or pick <= 5 then
    return one_of(SIMPLE)(self)
  elseif pick == 6 then
    return "NOT " .. self:condition(depth - 1)
  elseif pick == 7 then
    return "(" .. self:condition(depth - 1) .. ")"
  end
  return self:condition(depth - 1) .. one_of { " AND ", " OR ", " and ", "  Or " } .. self:condition(depth - 1)
end

-- ---- key conditions -------------------------------------------------------------------------------------

local RANGES = {
  function(name, value) return name .. " = " .. value() end,
  function(name, value) return name .. " < " .. value() end,
  function(name, value) return name .. " <= " .. value() end,
  function(name, value) return name .. " > " .. value() end,
  function(name, value) return name .. " >= " .. value() end,
  function(name, value) return name .. " BETWEEN " .. value() .. " AND " .. value() end,
  function(name, value) return "begins_with(" .. name .. ", " .. value() .. ")" end,
}

--- Of a table or "table/index".
function expressions:key_condition(source)
  local keys = values.KEYS[source]
  if not keys then -- ByTG, whose partition key is two attributes
    local all = ("T = %s AND %s = %s"):format(like(self, "T"), self:name("G"), like(self, "G"))
    return percent(50) and all or all .. " AND A > " .. like(self, "A")
  end
  local partition = self:name(keys[1]) .. " = " .. like(self, keys[1])
  if not keys[2] or percent(30) then return partition end
  local range = one_of(RANGES)(self:name(keys[2]), function() return like(self, keys[2]) end)
  return percent(80) and partition .. " AND " .. range or "(" .. range .. ") AND (" .. partition .. ")"
end

local KEY_MISTAKES = {
  function(self, keys) return self:name(keys[1]) .. " > " .. like(self, keys[1]) end,
  function(self, keys) return self:name(keys[1]) .. " = " .. like(self, keys[1]) .. " OR K = " .. like(self, "K") end,
  function(self, keys) return self:name(keys[1]) .. " <> " .. like(self, keys[1]) end,
  function(self, keys) return self:name(keys[1]) .. " = " .. like(self, keys[1]) .. " AND V = " .. like(self, "V") end,
  function(self, keys) return "size(" .. self:name(keys[1]) .. ") = " .. like(self, keys[1]) end,
  function(self, keys) return self:name(keys[1]) .. " = " .. self:value(values.any(1)) end,
  function(self, keys) return "NOT " .. self:name(keys[1]) .. " = " .. like(self, keys[1]) end,
  function(self, keys)
    local name, value = self:name(keys[1]), like(self, keys[1])
    return name .. " = " .. value .. " AND " .. name .. " = " .. value
  end,
  function(self, keys) return self:name(keys[1]) .. " IN (" .. like(self, keys[1]) .. ")" end,
  function(self) return "V = " .. like(self, "V") end,
}

function expressions:wrong_key_condition(source)
  return one_of(KEY_MISTAKES)(self, values.KEYS[source] or { "T", "G" })
end

-- ---- updates --------------------------------------------------------------------------------------------

local TARGETS = { "A", "A", "G", "T", "Bin", "Tags", "L", "L", "M", "M", "Name", "a-b.c", "V", "Unset" }

local SETS = {
  function(self, _, top) return like(self, top) end,
  function(self, path) return path .. one_of { " + ", " - " } .. self:value { N = one_of(values.SMALL) } end,
  function(self, path)
    local start, more = self:value { N = "0" }, self:value { N = one_of(values.NUMBERS) }
    return ("if_not_exists(%s, %s) + %s"):format(path, start, more)
  end,
  function(self, path, top) return ("if_not_exists(%s, %s)"):format(path, like(self, top)) end,
  function(self, path) return ("list_append(%s, %s)"):format(path, self:value(values.list(0))) end,
  function(self) return ("list_append(%s, %s)"):format(self:value(values.list(0)), self:name("L")) end,
  function(self) return (self:path()) end,
  function(self) return self:value(values.any(2)) end,
}

--- One of `tops` that this expression has not changed yet; now and then any of them.
local function target(self, tops)
  local fresh = {}
  for _, top in ipairs(tops) do
    if not self.changed[top] then fresh[#fresh + 1] = top end
  end
  local top = one_of((#fresh == 0 or percent(4)) and tops or fresh)
  self.changed[top] = true
  return top
end

local function set_clause(self)
  local path, top = self:path { target(self, TARGETS) }
  return path .. " = " .. one_of(SETS)(self, path, top)
end

local function add_clause(self)
  if percent(50) then
    return self:path { target(self, { "A", "A", "V", "Unset", "M", "L" }) } .. " " ..
      self:value { N = one_of(values.NUMBERS) }
  end
  return self:name(target(self, { "Tags", "Tags", "V", "A" })) .. " " .. self:value(values.set())
end

local function delete_clause(self)
  return self:name(target(self, { "Tags", "V" })) .. " " .. self:value(values.set())
end

local CLAUSES = {
  { "SET", set_clause },
  { "REMOVE", function(self) return (self:path { target(self, TARGETS) }) end },
  { "ADD", add_clause },
  { "DELETE", delete_clause },
}

--- One clause, or some of the four; now and then their paths overlap, which is refused.
function expressions:update()
  local parts = {}
  self.changed = {}
  for _, clause in ipairs(CLAUSES) do
    if percent(clause[1] == "SET" and 70 or 20) then
      local actions = {}
      for i = 1, percent(70) and 1 or 2 do actions[i] = clause[2](self) end
      parts[#parts + 1] = clause[1] .. " " .. table.concat(actions, ", ")
    end
  end
  return #parts > 0 and table.concat(parts, " ") or "REMOVE " .. self:path(TARGETS)
end

local UPDATE_MISTAKES = {
  function(self) return "SET P = " .. self:value { S = "x" } end,
  function(self) return "SET A = " .. self:value { N = "1" } .. ", A = " .. self:value { N = "2" } end,
  function(self) return "SET M.x = " .. self:value { N = "1" } .. " REMOVE M" end,
  function() return "SET A" end,
  function() return "SET A = :missing" end,
  function() return "REMOVE A REMOVE T" end,
  function(self) return "ADD A " .. self:value { S = "x" } end,
  function(self) return "DELETE Tags " .. self:value { N = "1" } end,
  function(self) return "SET A = A + " .. self:value { S = "x" } end,
  function(self) return "SET L = list_append(L, " .. self:value { S = "x" } .. ")" end,
  function(self) return "SET A = size(" .. self:value { S = "x" } .. ")" end,
  function(self) return "SET #none = " .. self:value { N = "1" } end,
  function(self) return "SET Name = " .. self:value { N = "1" } end,
  function(self) return "SET A = " .. self:value { N = "1" } .. " + " .. self:value { N = "2" } .. " + 3" end,
  function() return "REMOVE L[-1]" end,
  function(self) return "SET V = " .. self:value { S = ("x"):rep(409600) } end,
  function(self) -- too large with what is there, or not
    return "SET V = " .. self:value { S = ("x"):rep(percent(10) and 399000 or 1000) }
  end,
  function(self) return "SET A = A" .. (" + " .. self:value { N = "1" }):rep(2) end,
  function(self) return "SET A = " .. self:value { N = "1" } .. " SET T = " .. self:value { S = "a" } end,
  function(self) return "SET M" .. (".x"):rep(33) .. " = " .. self:value { N = "1" } end,
  function(self) return "SET T = " .. self:value { S = "" } end,
  function(self) return "SET G = " .. self:value { S = ("g"):rep(2049) } end,
  function(self) return "SET A = " .. self:value { NULL = true } end,
  function() return "REMOVE P, K" end,
  function(self) return "SET V = if_not_exists(V, if_not_exists(A, " .. self:value { N = "1" } .. "))" end,
  function(self) return "SET V = (A + " .. self:value { N = "1" } .. ")" end,
  function(self)
    local limit = self:value { N = "9.9999999999999999999999999999999999999E+125" }
    return "SET Nums = if_not_exists(Nums, " .. limit .. ") + " .. limit
  end,
  function(self)
    local one = self:value { N = "1E-130" }
    return "SET Nums = if_not_exists(Nums, " .. one .. ") + " .. self:value { N = "1E+125" }
  end,
  function(self) return "SET A = if_not_exists(" .. self:value { N = "1" } .. ", A)" end,
}

function expressions:wrong_update()
  return one_of(UPDATE_MISTAKES)(self)
end

-- ---- projections, mistakes ------------------------------------------------------------------------------

function expressions:projection()
  local paths = {}
  for i = 1, math.random(3) do paths[i] = self:path() end
  return table.concat(paths, ", ")
end

local CONDITION_MISTAKES = {
  function() return "A =" end,
  function(self) return "A = " .. self:value { N = "1" } .. " AND" end,
  function() return "attribute_exists(A" end,
  function(self) return "A BETWEEN " .. self:value { N = "1" } end,
  function(self) return "A BETWEEN " .. self:value { N = "2" } .. " AND " .. self:value { N = "1" } end,
  function(self) return "unknown(A) = " .. self:value { N = "1" } end,
  function(self) return "A = = " .. self:value { N = "1" } end,
  function() return "size(A)" end,
  function() return "A IN ()" end,
  function() return "#none = A" end,
  function() return "A = :none" end,
  function(self) return "Name = " .. self:value { N = "1" } end,
  function(self) return "begins_with(A, " .. self:value { N = "1" } .. ")" end,
  function(self) return "begins_with(A, A, " .. self:value { S = "1" } .. ")" end,
  function(self) return "attribute_exists(" .. self:value { S = "1" } .. ")" end,
  function(self) return "attribute_type(A, " .. self:value { N = "1" } .. ")" end,
  function(self) return "A < " .. self:value { BOOL = true } end,
  function(self) return self:value { N = "1" } .. " = " .. self:value { N = "1" } end,
  function() return "A = A" end,
  function(self) return "((A = " .. self:value { N = "1" } .. "))" end,
  function(self) return "A[0 = " .. self:value { N = "1" } end,
  function() return "A" end,
  function() return "NOT" end,
  function() return "contains(A, A)" end,
  function() return "A ~ T" end,
  function(self) return ("A = " .. self:value { N = "1" }):rep(330, " OR ") end, -- too long, or too many operators
  function(self) return ("A=" .. self:value { N = "1" }):rep(301, " OR ") end,
  function(self)
    local list = {}
    for i = 1, 101 do list[i] = self:value { N = tostring(i) } end
    return "A IN (" .. table.concat(list, ", ") .. ")"
  end,
  function() return "attribute_exists(M" .. (".x"):rep(32) .. ")" end,
  function() return "attribute_exists(L[99999999999999999999])" end,
  function() return ("NOT "):rep(400) .. "attribute_exists(A)" end,
  function() return ("("):rep(100) .. "attribute_exists(A)" .. (")"):rep(100) end,
  function() return "attribute_exists(" .. ("a"):rep(300) .. ")" end,
  function(self) return "A = " .. self:value { S = ("v"):rep(3000) } end,
  function() return "size(A) = size(A)" end,
  function(self) return "size(T) BETWEEN " .. self:value { N = "1" } .. " AND " .. self:value { S = "x" } end,
}

function expressions:wrong_condition()
  return one_of(CONDITION_MISTAKES)(self)
end

local PROJECTION_MISTAKES = {
  function() return "A, A" end,
  function() return "M.x, M" end,
  function() return "A," end,
  function() return "L[0], L[0]" end,
  function(self) return self:place(self.names, "#", "V") .. ", Name" end, -- without placeholders it may be a name
  function() return "#none" end,
  function() return "A.:v" end,
  function() return "M..x" end,
  function() return "L[x]" end,
  function() return "a b" end,
}

function expressions:wrong_projection()
  return one_of(PROJECTION_MISTAKES)(self)
end

local PLACEHOLDER_MISTAKES = {
  function(self) self:place(self.names, "#", "Unused") end,
  function(self) self:value { S = "unused" } end,
  function(self) self:place(self.names, "#", "Unused") self:place(self.names, "#", "Neither") end,
  function(self) self.names["#a-b"] = "x" end,
  function(self) self.values[":a b"] = { S = "x" } end,
  function(self) self.names["#empty"] = "" end,
}

--- What was made, into an operation; when it should be `wrong`, with a placeholder that nothing uses or that is none.
function expressions:finish(operation, wrong)
  local emptied = wrong and (operation.condition or operation.filter) and percent(20)
  if wrong and not emptied then one_of(PLACEHOLDER_MISTAKES)(self) end
  operation.names = next(self.names) and self.names or nil
  operation.values = next(self.values) and self.values or nil
  if emptied then operation[one_of { "names", "values" }] = {} end
  operation.literal = not operation.mistake and operation.values and not operation.names and percent(40) or nil
  return operation
end

return expressions
