return { table = "Slow", partition_key = "k:S", throughput = { read = 1000, write = 1 } }
