--- Told: how often Orders' trigger has handled each.
return {
  table         = "Told",
  partition_key = "Id:S",
}
