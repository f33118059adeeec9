--- Inbox: what waits for a user; the trigger `welcome` of Messages writes here.
return {
  table         = "Inbox",
  partition_key = "UserID:S",
}
