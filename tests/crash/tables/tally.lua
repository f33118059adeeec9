--- Tally: an item for each record of Main's stream that its trigger has handled; the trigger writes here.
return {
  table         = "Tally",
  partition_key = "Id:S",
}
