return { table = "Counts", partition_key = "k:S" }
