--- Users: who may be the UserID of a message.
return {
  table         = "Users",
  partition_key = "UserID:S",

  before_write = function(old, new)
    if new and (type(new.Name) ~= "string" or new.Name == "") then return nil, "a user needs a Name" end
    return new
  end,
}
