return { table = "Looks", partition_key = "k:S" }
