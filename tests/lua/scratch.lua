--- Databases in directories of their own, and what specs say about answers.
local lfs = require "lfs"
local perilune = require "perilune"

local scratch = {}

local made = {} -- directories to be removed
local opened = setmetatable({}, { __mode = "k" }) -- databases to be closed

local function remove(path)
  local mode = lfs.symlinkattributes(path, "mode")
  if mode == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then
        remove(path .. "/" .. name)
      end
    end
    lfs.rmdir(path)
  elseif mode then
    os.remove(path)
  end
end

--- A new directory, removed by scratch.clean().
function scratch.directory()
  local path = os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  made[#made + 1] = path
  return path
end

--- A directory with the module files of `texts`, a table of names and Lua texts.
function scratch.scripts(texts)
  local path = scratch.directory()
  scratch.write_scripts(path, texts)
  return path
end

function scratch.write_scripts(path, texts)
  for name, text in pairs(texts) do
    local file = assert(io.open(path .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end
end

--- Open a database; without a path, a new one. Returns it and its path.
function scratch.open(options)
  options = options or {}
  options.path = options.path or scratch.directory() .. "/db"
  options.sync = options.sync or "never"
  local db = assert(perilune.open(options))
  opened[db] = true
  return db, options.path
end

--- Close and open again.
function scratch.reopen(db, path, options)
  db:close()
  options = options or {}
  options.path = path
  return (scratch.open(options))
end

--- A database with one table, for specs that need no more.
function scratch.with_table(definition)
  local db, path = scratch.open()
  assert(db:create_table(definition))
  return db, path
end

--- Close what is open, remove what was made: the `after_each` of every spec.
function scratch.clean()
  for db in pairs(opened) do
    db:close()
    opened[db] = nil
  end
  while #made > 0 do
    remove(table.remove(made))
  end
end

--- Must be what a refusal looks like: nil, this sentence, this code.
function scratch.refused(code, sentence, ...)
  local result, why, got = ...
  if result ~= nil then
    error("expected " .. code .. ", but it was not refused: " .. tostring(result), 2)
  end
  if got ~= code or why ~= sentence then
    error(("expected %s: %s\n     got %s: %s"):format(code, sentence, tostring(got), tostring(why)), 2)
  end
end

function scratch.invalid(sentence, ...)
  local result, why, got = ...
  if result ~= nil then
    error("expected a refusal: " .. sentence .. "\ngot " .. tostring(result), 2)
  end
  if got ~= "ValidationException" or why ~= sentence then
    error(("expected: %s\n     got: %s (%s)"):format(sentence, tostring(why), tostring(got)), 2)
  end
end

--- One text for equal values, whatever order their parts come in.
function scratch.dump(value)
  local kind = perilune.type(value)
  if kind == "M" or kind == "L" or kind == "SS" or kind == "NS" or kind == "BS" then
    local parts = {}
    for k, v in pairs(value) do
      parts[#parts + 1] = (kind == "M" and ("%q="):format(k) or kind == "L" and k .. "=" or "") .. scratch.dump(v)
    end
    table.sort(parts)
    return kind .. "{" .. table.concat(parts, ",") .. "}"
  elseif kind == "S" then
    return ("%q"):format(value)
  elseif kind == "N" and math.type(value) == "float" then
    return "N" .. tostring(perilune.decimal(value))
  elseif kind == "B" then
    return "B" .. ("%q"):format(tostring(value))
  end
  return tostring(kind) .. tostring(value)
end

--- Equal as items are equal: sets in any order, numbers by value.
function scratch.same(expected, got)
  local a, b = scratch.dump(expected), scratch.dump(got)
  if a ~= b then
    error(("expected %s\n     got %s"):format(a, b), 2)
  end
end

--- The items of an iterator as a list; with a name, only that attribute of each.
function scratch.list(iterator, name)
  local list = {}
  for item in iterator do
    list[#list + 1] = name and item[name] or item
  end
  return list
end

return scratch
