--- The same as bench_trigger.lua with records that hold keys alone.
return {
  table         = "BenchTriggerKeys",
  partition_key = "K:S",
  stream        = "keys_only",
  triggers      = { nothing = { run = function() end } },
}
