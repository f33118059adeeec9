--- Late: records too old for their trigger, all of which become dead letters in one change.
return {
  table         = "Late",
  partition_key = "k:S",
  sort_key      = "s:N",
  stream        = "new_image",
  triggers      = { gone = { max_age_s = 60, run = function() error("too late") end } },
}
