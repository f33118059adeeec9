--- Requests: triggers that write to a table whose throughput is soon used up.
return {
  table         = "Requests",
  partition_key = "k:S",
  stream        = "new_image",
  triggers      = {
    kept = { retries = 0, run = function(records, db)
      for _, r in ipairs(records) do db:put("Slow", { k = "kept/" .. r.keys.k }) end
    end },
    -- A name twice: what was kept is written before the function's end.
    twice = { retries = 0, run = function(records, db)
      for _, r in ipairs(records) do
        db:put("Slow", { k = "twice/" .. r.keys.k })
        assert(db:put("Slow", { k = "twice/" .. r.keys.k, n = 2 }))
      end
    end },
    now = { retries = 0, run = function(records, db)
      for _, r in ipairs(records) do
        assert(db:put("Slow", { k = "now/" .. r.keys.k }, { returns = "ALL_OLD" }))
      end
    end },
  },
}
