--- Carts: one partition for each customer, one item for each product in the cart.
return {
  table         = "Carts",
  partition_key = "CustomerID:S",
  sort_key      = "ProductID:S",
  ttl           = "ExpiresAt",        -- a cart that nobody comes back for goes away by itself

  before_write = function(old, new)
    if new == nil then return true end
    if math.type(new.Quantity) ~= "integer" or new.Quantity < 1 or new.Quantity > 99 then
      return nil, "Quantity must be a whole number from 1 to 99"
    end
    return new
  end,
}
