return { table = "Cures", partition_key = "k:S" }
