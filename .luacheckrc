std = "lua54"
max_line_length = 120
files["tests/lua"] = { std = "lua54+busted" }
files["bench/tarantool"] = { std = "luajit", read_globals = { "box" } }
files["bench/http"] = { read_globals = { "wrk" }, globals = { "init", "request", "done" } }
files["examples"] = { read_globals = { "perilune" }, unused_args = false } -- a function names all that it is given
files["tests/fault/modules"] = { read_globals = { "perilune" }, unused_args = false }
files["tests/fault/triggers"] = { read_globals = { "perilune" }, unused_args = false }
