#!/usr/bin/env tarantool
--- Tarantool as the bench's rival: `tarantool server.lua DIRECTORY`. Every write is synced before it is acknowledged.
local directory = assert(arg[1], "usage: tarantool server.lua DIRECTORY")

box.cfg {
  listen = "127.0.0.1:0",
  work_dir = directory,
  wal_mode = "fsync",
  memtx_memory = 2 * 1024 * 1024 * 1024,
  -- As Redis runs without snapshots here: neither is to be slowed by writing its data twice.
  checkpoint_interval = 0,
  readahead = 1024 * 1024,
  log_level = 3,
}

local bench = box.schema.space.create("bench", { if_not_exists = true })
bench:create_index("primary", { type = "hash", parts = { 1, "string" }, if_not_exists = true })

local range = box.schema.space.create("bench_range", { if_not_exists = true })
range:create_index("primary", { type = "tree", parts = { 1, "string", 2, "unsigned" }, if_not_exists = true })

box.schema.user.grant("guest", "read,write", "universe", nil, { if_not_exists = true })

print("ready " .. box.info.listen)
io.stdout:flush()
