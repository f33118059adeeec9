--- Products: what can be bought, and how many are left.
local function is_whole(value)
  return math.type(value) == "integer"
end

return {
  table         = "Products",
  partition_key = "ProductID:S",

  indexes = {
    ByCategory = { partition_key = "Category:S", sort_key = "Price:N", project = { "Name", "Stock" } },
  },

  -- The last word about stock, whoever writes and however: it is never below zero.
  before_write = function(old, new)
    if new == nil then
      if old.Stock > 0 then return nil, "a product in stock cannot be removed" end
      return true
    end
    if not is_whole(new.Stock) then return nil, "Stock must be a whole number" end
    if new.Stock < 0 then return nil, "Stock must not fall below zero" end
    if perilune.type(new.Price) ~= "N" or new.Price <= 0 then return nil, "Price must be a number above zero" end
    return new
  end,

  -- IF @in_stock {"quantity":2}: the buyer's question, asked in the same step that takes the goods.
  conditions = {
    in_stock = function(old, new, args) return old ~= nil and old.Stock >= args.quantity end,
  },
}
