--- Main as story.c makes it elsewhere, with a trigger that counts how often each record came to something.
return {
  table         = "Main",
  partition_key = "Chat:S",
  sort_key      = "Message:S",
  ttl           = "Likes",
  stream        = "new_and_old_images",

  indexes = {
    ByUser  = { partition_key = "User:S", sort_key = "Version:N", project = "all" },
    ByLikes = { sort_key = "Likes:N", project = "keys_only" },
  },

  triggers = {
    tally = { batch = 8, retries = 1,
      run = function(records, db)
        for _, r in ipairs(records) do
          local image = r.new or r.old
          if image.Version % 11 == 0 then error("poison") end   -- tally.c knows which, too
          db:update("Tally", { Id = image.Who .. ":" .. r.sequence }, "SET Times = if_not_exists(Times, 0) + 1")
        end
      end },
  },
}
