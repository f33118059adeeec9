--- Messages: one partition for each chat, oldest first.

-- The first characters of a text, and never half of one.
local function beginning(text, count)
  local past = utf8.offset(text, count + 1)
  return past and text:sub(1, past - 1) or text
end

return {
  table         = "Messages",
  partition_key = "ChatID:S",
  sort_key      = "MsgID:S",
  ttl           = "ExpiresAt",
  stream        = "new_and_old_images",

  indexes = {
    ByUser = {                                  -- global: its own partition key
      partition_key = "UserID:S", sort_key = "ChatID:S",
      project = function(item)                  -- what the index stores, computed
        return { MsgID = item.MsgID, Preview = beginning(item.Text, 40) }
      end,
    },
    ByLikes = { sort_key = "Likes:N", project = "keys_only" },   -- local: same partition key
  },

  -- Runs inside every write, before it is made durable: the item to store, or nil and why not.
  before_write = function(old, new)
    if new == nil then return true end          -- a removal: nothing to look at
    if type(new.Text) ~= "string" then return nil, "a message needs a Text" end
    if utf8.len(new.Text) > 4000 then return nil, "a message has at most 4000 characters" end
    return new
  end,

  -- Conditions that a client names: IF @author {"user":"u_a"}
  conditions = {
    author = function(old, new, args) return old == nil or old.UserID == args.user end,
  },

  -- Runs after the write, off the stream: at least once, in order for each key, with retries.
  triggers = {
    welcome = { on = { "insert" }, batch = 100,
      run = function(records, db)
        -- A user has one welcome, under their own key, so that a second run does no harm.
        for _, r in ipairs(records) do db:put("Inbox", { UserID = r.new.UserID, Text = "Welcome!" }) end
      end },
  },
}
