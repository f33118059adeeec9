rockspec_format = "3.0"
package = "perilune"
version = "scm-1"
source = { url = "git+https://github.com/perilune/perilune.git" }
description = {
  summary = "A durable, scriptable table engine with DynamoDB's data model",
  detailed = [[
Tables, items, secondary indexes, conditional writes, in a directory of your program's own: require "perilune", and
the whole engine runs in your process. The build needs CMake and what `./dev install` installs from Debian.]],
  license = "MIT",
}
dependencies = { "lua >= 5.4, < 5.5" }
build = {
  type = "command",
  build_command = "cmake -S . -B build/rock -DCMAKE_BUILD_TYPE=RelWithDebInfo"
    .. " && cmake --build build/rock --target perilune_lua",
  install = {
    lib = { perilune = "build/rock/perilune.so" },
    lua = { ["perilune.meta"] = "lua/perilune/meta.lua" },
  },
}
