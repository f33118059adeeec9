--- Things: triggers for tests that take memory and the disk away from them. None of them looks at what `db` answers
--- where it need not: what is not made must fail the run by itself.
local function lists_of(records)
  local lists = {}
  for _, r in ipairs(records) do
    lists[r.keys.k] = lists[r.keys.k] or {}
    table.insert(lists[r.keys.k], r.keys.s)
  end
  return lists
end

return {
  table         = "Things",
  partition_key = "k:S",
  sort_key      = "s:N",
  stream        = "new_and_old_images",
  triggers      = {
    -- Kept writes, exactly once.
    count = { on = { "insert" }, retries = 0, parallel = 2, run = function(records, db)
      for _, r in ipairs(records) do
        if r.new.bad and not db:get("Cures", { k = r.keys.k }) then error("bad") end
      end
      for k, list in pairs(lists_of(records)) do
        pcall(db.update, db, "Counts", { k = k },
              "SET seen = list_append(if_not_exists(seen, :none), :more)",
              { values = { more = list, none = perilune.list {} } })
        db:put("Copies", { k = k, n = #list })
      end
    end },
    -- Writes that are made at once, and may be made again.
    look = { on = { "insert" }, retries = 0, filter = function(r) return r.new.s > 0 end,
      run = function(records, db)
        for _, r in ipairs(records) do
          local item = assert(db:get("Things", { k = r.keys.k, s = r.keys.s }, { consistent = true }))
          local looks = { k = r.keys.k .. "/" .. tostring(r.keys.s) }
          assert(db:transact { { put = "Looks", item = looks }, { delete = "Cures", key = { k = "nobody" } } })
          looks.s = item.s
          assert(db:put("Looks", looks, { condition = "attribute_exists(k)" }))
        end
      end },
  },
}
