--- Items that have expired when they are put: what puts elsewhere feel of their removal.
return {
  table         = "BenchExpiry",
  partition_key = "K:S",
  ttl           = "T",
}
