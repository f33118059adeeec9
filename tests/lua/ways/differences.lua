--- Where the ways in may differ, each with its reason. Everything else must be equal.
--
-- `unsaid(operation)` is true of what the line protocol has no words for: it is not asked. `settle(answers, operation)`
-- makes equal what may differ: `answers` holds one for each way, by its name. Of an
-- operation that was asked to the end it is called for each page.
local function each(answers, change)
  for _, answer in pairs(answers) do
    if answer.code then change(answer) end
  end
end

-- What DynamoDB puts around the sentence about a value.
local function core(sentence)
  return sentence:match("^ExpressionAttributeValues contains invalid value: (.*) for key :%w+$") or sentence
end

local function unbalanced(operation)
  for _, name in ipairs { "condition", "filter", "where", "update", "project" } do
    local text = operation[name] or ""
    local _, opened = text:gsub("[%[(]", "")
    local _, closed = text:gsub("[%])]", "")
    if opened ~= closed then return true end
  end
end

local PARAMETERS = { table = true, limit = true, segment = true, ["too many"] = true }

return {
  {
    why = "a line says SELECT paths, SELECT * or COUNT, one of them: DynamoDB's Select says more, and twice",
    unsaid = function(operation)
      local select = operation.select
      return select and (operation.project ~= nil or select ~= "COUNT" and select ~= "ALL_ATTRIBUTES")
    end,
    settle = function() end,
  },
  {
    why = "a reply of the line protocol is one line: control characters of a sentence stand there as escapes",
    settle = function(answers)
      each(answers, function(answer)
        answer.sentence = answer.sentence:gsub("\n", "\\n"):gsub("%c", function(c)
          return ("\\u%04x"):format(c:byte())
        end)
      end)
    end,
  },
  {
    why = "perilune.number() raises where it is called: a program's mistake, found before there is a request",
    settle = function(answers, operation)
      if operation.mistake ~= "value" or answers.embedded.code ~= "raised" then return end
      answers.embedded.code = "ValidationException"
      each(answers, function(answer) answer.sentence = core(answer.sentence) end)
    end,
  },
  {
    why = "a Lua table says where in it the wrong value is, for it may be deep",
    settle = function(answers, operation)
      if operation.mistake ~= "value" and operation.mistake ~= "item" or not answers.embedded.code then return end
      answers.embedded.sentence = answers.embedded.sentence:gsub("^V: ", "")
    end,
  },
  {
    why = "an empty set in Lua has no kind that could be named",
    settle = function(answers, operation)
      if operation.mistake ~= "value" or not answers.embedded.code then return end
      answers.embedded.sentence = answers.embedded.sentence:gsub("a set may not be empty: leave the attribute out",
        "One or more parameter values were invalid: An string set  may not be empty")
    end,
  },
  {
    why = "a Lua table that is too deep may be one that contains itself, and its sentence says so",
    settle = function(answers)
      if not (answers.embedded.sentence or ""):find("the value nests deeper than 32 levels, or contains itself") then
        return
      end
      answers.embedded.sentence = "Nesting Levels have exceeded supported limits"
    end,
  },
  {
    why = "an expression of a line ends where a clause begins, and no clause begins inside brackets",
    settle = function(answers, operation)
      if not unbalanced(operation) then return end
      each(answers, function(answer) answer.sentence = "brackets that are not closed" end)
    end,
  },
  {
    why = "a line's grammar wants something behind IF, FILTER and SELECT, and an update begins with a word of its own",
    settle = function(answers, operation)
      local line, other = answers["line protocol"], answers.HTTP
      if operation.mistake ~= "empty" or not line or not line.code or not other.code then return end
      line.code, line.sentence = other.code, other.sentence
    end,
  },
  {
    why = "the lengths, patterns and ranges of parameters are each way's own: DynamoDB's sentences name members of " ..
      "its JSON, those of a line its words, and in Lua they are mistakes of the program; all must refuse",
    settle = function(answers, operation)
      local sentence = answers.HTTP.sentence or ""
      if not PARAMETERS[operation.mistake] or
        not (sentence:match("^%d+ validation errors? detected") or sentence:match("^The Segment parameter")) then
        return
      end
      each(answers, function(answer) answer.code, answer.sentence = "refused", "a parameter out of bounds" end)
    end,
  },
  {
    why = "a Lua table has no order: of several placeholders that nothing uses, any may be named first",
    settle = function(answers)
      each(answers, function(answer)
        answer.sentence = answer.sentence:gsub("unused in expressions: keys: {(.-)}", function(list)
          local keys = {}
          for key in list:gmatch("[^, ]+") do keys[#keys + 1] = key end
          table.sort(keys)
          return "unused in expressions: keys: {" .. table.concat(keys, ", ") .. "}"
        end)
      end)
    end,
  },
}
