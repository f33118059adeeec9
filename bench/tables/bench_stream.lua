--- The same as bench.lua with a stream: what records cost a put, and how soon they come to who follows.
return {
  table         = "BenchStream",
  partition_key = "K:S",
  stream        = "new_and_old_images",
}
