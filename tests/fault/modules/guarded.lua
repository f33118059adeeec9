--- Guarded: what a module can do inside a write, for tests that take its memory away.
return {
  table         = "Guarded",
  partition_key = "Id:S",
  indexes = {
    ByWord = {
      partition_key = "Word:S",
      project = function(item)
        return { Word = item.Text and item.Text:match("^%a+"), Length = item.Text and #item.Text }
      end,
    },
  },
  before_write = function(old, new)
    if new == nil then return true end
    if new.Text == "no" then return nil, "not this" end
    local copy = perilune.copy(new)
    copy.Writes = (old and old.Writes or 0) + 1
    return copy
  end,
  conditions = {
    owner = function(old, new, args) return old == nil or old.Owner == args.user end,
  },
}
