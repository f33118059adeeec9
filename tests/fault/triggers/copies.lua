return { table = "Copies", partition_key = "k:S" }
