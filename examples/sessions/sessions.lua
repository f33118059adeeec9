--- Sessions: a token in a browser's cookie, and who is behind it until when.
return {
  table         = "Sessions",
  partition_key = "Token:S",
  ttl           = "ExpiresAt",        -- seconds since 1970

  indexes = {
    -- "Where am I logged in?", newest first with DESC.
    ByUser = { partition_key = "UserID:S", sort_key = "CreatedAt:N", project = { "Device", "ExpiresAt" } },
  },

  before_write = function(old, new)
    if new == nil then return true end
    if type(new.UserID) ~= "string" then return nil, "a session needs a UserID" end
    if old and old.UserID ~= new.UserID then return nil, "a session never changes hands: make a new one" end
    if math.type(new.ExpiresAt) ~= "integer" then return nil, "ExpiresAt must be whole seconds since 1970" end
    if new.ExpiresAt > 100000000000 then return nil, "ExpiresAt looks like milliseconds: it must be seconds" end
    return new
  end,

  -- IF @owner {"user":"u_ada"}: ends no session but one's own. IF @alive {"now":1893456000}: and only while it lives.
  conditions = {
    owner = function(old, new, args) return old ~= nil and old.UserID == args.user end,
    alive = function(old, new, args) return old ~= nil and old.ExpiresAt > args.now end,
  },
}
