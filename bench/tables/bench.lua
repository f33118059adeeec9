--- What puts and gets of the bench use: one item a partition key.
return {
  table         = "Bench",
  partition_key = "K:S",
}
