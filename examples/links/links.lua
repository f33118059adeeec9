--- Links: a short code, and where it leads.
local function domain(url)
  return url:match("^https?://([%w.-]+)")
end

return {
  table         = "Links",
  partition_key = "Code:S",

  indexes = {
    -- Sparse: a link without an Owner has no entry.
    ByOwner = { partition_key = "Owner:S", sort_key = "Code:S", project = { "Url", "Hits" } },

    -- Computed: no link has a Domain, the function finds it in the Url. A link that nobody followed has no Hits yet,
    -- and so no entry.
    ByDomain = {
      partition_key = "Domain:S", sort_key = "Hits:N",
      project = function(link) return { Domain = domain(link.Url), Hits = link.Hits, Url = link.Url } end,
    },
  },

  before_write = function(old, new)
    if new == nil then return true end
    if type(new.Url) ~= "string" or domain(new.Url) == nil then
      return nil, "Url must begin with http:// or https:// and a host"
    end
    if old and old.Url ~= new.Url then return nil, "a link that is out in the world leads where it always led" end
    return new
  end,

  -- IF @owner {"user":"u_ada"}
  conditions = {
    owner = function(old, new, args) return old ~= nil and old.Owner == args.user end,
  },
}
