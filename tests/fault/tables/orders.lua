--- Orders: a table with a trigger that fails at some of them, so that its checkpoints and dead letters are stored.
return {
  table         = "Orders",
  partition_key = "Id:S",
  stream        = "new_and_old_images",

  triggers = {
    tell = { batch = 10, retries = 0,
      run = function(records, db)
        for _, r in ipairs(records) do
          if r.new.Poison then error("poison") end
          -- A record that is handled twice shows.
          db:update("Told", { Id = r.new.Id }, "SET Times = if_not_exists(Times, 0) + 1")
        end
      end },
  },
}
