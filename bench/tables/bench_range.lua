--- What queries of the bench use: a hundred items under each partition key.
return {
  table         = "BenchRange",
  partition_key = "P:S",
  sort_key      = "S:N",
}
