--- The same as bench_stream.lua with a trigger that does nothing: what it costs puts that records are gone through.
return {
  table         = "BenchTrigger",
  partition_key = "K:S",
  stream        = "new_and_old_images",
  triggers      = { nothing = { run = function() end } },
}
