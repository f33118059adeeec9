---@meta perilune
-- For editors only (LuaCATS): what `require "perilune"` gives. The module itself is C.
-- luacheck: ignore 212 241

---@class perilune
---@field version string
---@field null lightuserdata        DynamoDB's NULL; nil is no value at all
local perilune = {}

---@class perilune.binary           bytes, as opposed to text; tostring(b) and #b
---@class perilune.decimal          a number that no integer or float is exactly; has arithmetic
---@class perilune.range            what between() and its like make, for key conditions

---@alias perilune.value string|number|boolean|table|lightuserdata|perilune.binary|perilune.decimal
---@alias perilune.item table<string, perilune.value>

---@class perilune.set              elements are of one kind; a set is never empty
local set = {}
---@param element perilune.value
---@return boolean
function set:has(element) end
---@param element perilune.value
---@return boolean changed
function set:add(element) end
---@param element perilune.value
---@return boolean changed
function set:remove(element) end

---@param bytes string
---@return perilune.binary
function perilune.binary(bytes) end
---@param elements table
---@return perilune.set
function perilune.set(elements) end
---Marks a table as a list, also when it is empty.
---@param t? table
---@return table
function perilune.list(t) end
---Marks a table as a map.
---@param t? table
---@return table
function perilune.map(t) end
---@param n string|number|perilune.decimal
---@return perilune.decimal
function perilune.number(n) end
---@param n string|number|perilune.decimal
---@return perilune.decimal
function perilune.decimal(n) end
---@param value perilune.value
---@return perilune.value
function perilune.copy(value) end
---@param value any
---@return "S"|"N"|"B"|"BOOL"|"NULL"|"L"|"M"|"SS"|"NS"|"BS"|nil
function perilune.type(value) end

---@param low perilune.value
---@param high perilune.value
---@return perilune.range
function perilune.between(low, high) end
---@param prefix string|perilune.binary
---@return perilune.range
function perilune.begins_with(prefix) end
---@param value perilune.value
---@return perilune.range
function perilune.lt(value) end
---@param value perilune.value
---@return perilune.range
function perilune.le(value) end
---@param value perilune.value
---@return perilune.range
function perilune.gt(value) end
---@param value perilune.value
---@return perilune.range
function perilune.ge(value) end

---@class perilune.open_options
---@field path string                 the data directory; made when there is none
---@field scripts? string             a directory of table modules
---@field sync? string                "always" (default), "interval:MS" or "never"
---@field partitions? integer         of a new data directory; a power of two, 64 by default
---@field script_time_ms? integer     what one call of a module's function may take; 100 by default
---@field script_memory_bytes? integer
---@field item_collection_bytes? integer  of one partition key in a table with local indexes; 10 GiB
---@field ttl_sweep_ms? integer       between two looks for what has expired, which open and writes take; 1000 if unset
---@field stream_retention_ms? integer how long the records of streams are kept; 24 hours by default

---@param options string|perilune.open_options
---@return perilune.database? database
---@return string? sentence
---@return string? code
function perilune.open(options) end

---Closed by close(), by `local db <close>`, or when it is collected. Belongs to one thread.
---What the world refuses is nil, a sentence, and DynamoDB's name for it; a mistake in the call raises.
---@class perilune.database
local database = {}

---@class perilune.capacity           units are added to what is there
---@field total? number
---@field table? number
---@field indexes? table<string, number>

---@class perilune.write_options
---@field condition? string           an expression, or "@name" of a condition in the table's module
---@field args? perilune.value        for "@name"
---@field names? table<string, string>           { n = "attribute" } for #n
---@field values? table<string, perilune.value>  { v = value } for :v
---@field returns? "NONE"|"ALL_OLD"|"UPDATED_OLD"|"ALL_NEW"|"UPDATED_NEW"
---@field on_failure? "ALL_OLD"       a condition that fails gives the item as fourth result
---@field capacity? perilune.capacity

---@class perilune.read_options
---@field project? string|string[]    a projection expression, or a list of names
---@field names? table<string, string>
---@field consistent? boolean
---@field capacity? perilune.capacity

---@class perilune.walk_options: perilune.read_options
---@field values? table<string, perilune.value>
---@field filter? string
---@field limit? integer              a page: items read; an iterator or a count: items in all
---@field page_size? integer          an iterator or a count: items read at a time
---@field after? perilune.item        a page's last_key
---@field select? "ALL_ATTRIBUTES"|"ALL_PROJECTED_ATTRIBUTES"|"SPECIFIC_ATTRIBUTES"|"COUNT"

---@class perilune.query_options: perilune.walk_options
---@field descending? boolean

---@class perilune.scan_options: perilune.walk_options
---@field segment? integer            counted from 0
---@field segments? integer

---@class perilune.page
---@field items perilune.item[]
---@field count integer
---@field scanned integer
---@field last_key? perilune.item     there may be more after it

---True, or with `returns` the attributes asked for (an empty table when there are none).
---@param table string
---@param item perilune.item
---@param options? perilune.write_options
---@return true|perilune.item|nil result
---@return string? sentence
---@return string? code
---@return perilune.item? old
function database:put(table, item, options) end
---@param table string
---@param key perilune.item
---@param options? perilune.read_options
---@return perilune.item? item nil alone when there is none
---@return string? sentence
---@return string? code
function database:get(table, key, options) end
---@param table string
---@param key perilune.item
---@param expression? string
---@param options? perilune.write_options
---@return true|perilune.item|nil result
---@return string? sentence
---@return string? code
---@return perilune.item? old
function database:update(table, key, expression, options) end
---@param table string
---@param key perilune.item
---@param options? perilune.write_options
---@return true|perilune.item|nil result
---@return string? sentence
---@return string? code
---@return perilune.item? old
function database:delete(table, key, options) end

---An iterator over all pages. Raises when the request is refused.
---@param source string               "table" or "table/index"
---@param where string|table          { Key = value, Sort = perilune.between(a, b) }, { where = "..." } or "..."
---@param options? perilune.query_options
---@return fun(): perilune.item?
function database:query(source, where, options) end
---@param source string
---@param where string|table
---@param options? perilune.query_options
---@return perilune.page? page
---@return string? sentence
---@return string? code
function database:query_page(source, where, options) end
---@param source string
---@param options? perilune.scan_options
---@return fun(): perilune.item?
function database:scan(source, options) end
---@param source string
---@param options? perilune.scan_options
---@return perilune.page? page
---@return string? sentence
---@return string? code
function database:scan_page(source, options) end
---@param source string
---@param where? string|table
---@param options? perilune.walk_options
---@return integer? count
---@return string? sentence
---@return string? code
function database:count(source, where, options) end

---@param keys table<string, perilune.item[]>
---@param options? perilune.read_options
---@return table<string, perilune.item[]>? items
---@return string|table? sentence  or, after items, the keys that were left out: ask again for them
---@return string? code
function database:batch_get(keys, options) end
---@param writes table<string, { put?: perilune.item[], delete?: perilune.item[] }>
---@param options? { capacity?: perilune.capacity }
---@return true?
---@return string|table? sentence  or, after true, the writes that were left out: write them again
---@return string? code
function database:batch_write(writes, options) end

---One member says what is done in which table. Updates take `expression`, gets take `project` and `names` alone.
---@class perilune.transaction_item
---@field put? string                 a table; with `item`
---@field update? string              a table; with `key`
---@field delete? string              a table; with `key`
---@field check? string               a table; with `key` and `condition`
---@field get? string                 a table; with `key`. Gets stand among gets only
---@field item? perilune.item
---@field key? perilune.item
---@field expression? string
---@field condition? string           an expression, or "@name" of a condition in the table's module
---@field args? perilune.value        for "@name"
---@field names? table<string, string>
---@field values? table<string, perilune.value>
---@field on_failure? "ALL_OLD"       a condition that fails shows the item in its reason
---@field project? string|string[]

---@class perilune.cancellation_reason
---@field code string                 "None", "ConditionalCheckFailed", "ValidationError", ...
---@field message? string
---@field item? perilune.item

---Up to 100 items, all or none. Writes: true, or nil and why, with a reason for each item in order. Gets, as of one
---moment: the items in order, nil where there is none, and how many were asked for as `n`.
---@param items perilune.transaction_item[]
---@param options? { token?: string, capacity?: perilune.capacity }
---@return true|{ n: integer, [integer]: perilune.item }|nil result
---@return string? sentence
---@return string? code
---@return perilune.cancellation_reason[]? reasons
function database:transact(items, options) end

---@class perilune.record           what a write did; the images are those that the stream's view shows
---@field event "insert"|"modify"|"remove"
---@field shard integer              records of one partition key share it, and stand in it in their order
---@field sequence string            grows within a shard
---@field at number                  seconds since 1970
---@field by? "expiry"               the item had expired, and was deleted by the database itself
---@field keys perilune.item
---@field new? perilune.item
---@field old? perilune.item

---Called, it gives the next record; nil is the end for now, and a later call goes on with what has come since.
---A failure raises: TrimmedDataAccessException when records that were not read yet are kept no longer.
---@class perilune.tail
---@operator call: perilune.record?
local tail = {}
---After the record last given: where another tail goes on.
---@return string
function tail:position() end
---@return true
function tail:close() end

---Read a table's stream: `for record in db:tail("Messages") do .. end`
---@param table string
---@param options? { from?: "oldest"|"latest"|string }   "oldest", all that is kept, by default; or a position
---@return perilune.tail?
---@return string? sentence
---@return string? code
function database:tail(table, options) end

---@class perilune.index_definition
---@field partition_key? string|string[]   "Name:S"; absent: a local index
---@field sort_key? string|string[]
---@field project? "all"|"keys_only"|string[]|fun(item: perilune.item): perilune.item?
---@field throughput? { read: integer, write: integer }

---@class perilune.trigger_definition
---@field on? ("insert"|"modify"|"remove")[]
---@field run fun(records: table[], db: table)
---@field filter? fun(record: table): boolean
---@field batch? integer
---@field batch_window_ms? integer
---@field retries? integer
---@field max_age_s? integer
---@field parallel? integer

---Functions stand in modules only; create_table and alter_table take data.
---@class perilune.table_definition
---@field table string
---@field partition_key string        "Name:S", "Name:N" or "Name:B"
---@field sort_key? string
---@field ttl? string
---@field stream? "keys_only"|"new_image"|"old_image"|"new_and_old_images"|false
---@field throughput? { read: integer, write: integer }
---@field deletion_protection? boolean
---@field dynamodb? table<string, perilune.value> kept for DynamoDB's API and given back as it is
---@field indexes? table<string, perilune.index_definition>
---@field before_write? fun(old: perilune.item?, new: perilune.item?): perilune.item?, string?
---@field conditions? table<string, fun(old: perilune.item?, new: perilune.item?, args: perilune.value): boolean>
---@field triggers? table<string, perilune.trigger_definition>

---What a trigger could not handle, oldest first in each partition; as items, with id, error and attempts.
---@param source string               "table/trigger"
---@param options? { limit?: integer, after?: perilune.item }
---@return { items: perilune.item[], last_key?: perilune.item }?
---@return string? sentence
---@return string? code
function database:dead_letters(source, options) end
---Run them again; those that succeed are gone.
---@param source string
---@param id? string                  one of them; all when absent
---@return { replayed: integer, failed: integer, error?: string }?
---@return string? sentence
---@return string? code
function database:replay_dead_letters(source, id) end
---@param source string
---@param id? string
---@return { purged: integer }?
---@return string? sentence
---@return string? code
function database:purge_dead_letters(source, id) end
---Run the triggers that are due. A call that writes does so by itself, for about 100 ms at most.
---@return integer? ms until one is due; 0 when one is due now, nil when none is
function database:run_triggers() end

---@param definition perilune.table_definition
---@return true|table|nil
---@return string? sentence
---@return string? code
function database:create_table(definition) end
---@param table string
---@param changes table               fields to change; perilune.null removes one
---@return true|table|nil
---@return string? sentence
---@return string? code
function database:alter_table(table, changes) end
---@param table string
---@return true?
---@return string? sentence
---@return string? code
function database:drop_table(table) end
---@param table string
---@return table? definition and figures
---@return string? sentence
---@return string? code
function database:describe(table) end
---@return string[] names
function database:tables() end

---@class perilune.check            what was looked at, and what is wrong with it
---@field ok boolean
---@field tables integer
---@field items integer
---@field index_entries integer
---@field expiries integer
---@field stream_records integer
---@field faults string[]

---Compare everything stored with everything else stored.
---@return perilune.check?
---@return string? sentence
---@return string? code
function database:check() end
---@param table? string
---@return table<string, any>
function database:stats(table) end
---Load the scripts directory anew; what was loaded stays when the new is wrong.
---@return true?
---@return string? sentence
---@return string? code
function database:reload() end
---@return true
function database:close() end

return perilune
