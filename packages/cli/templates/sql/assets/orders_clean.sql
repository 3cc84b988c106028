-- One row per order of at least min_total.
-- @param min_total double = 5
-- @check not_null(id, day), unique(id)
SELECT id, day::DATE AS day, currency, total
FROM orders
WHERE total >= $min_total
ORDER BY id
