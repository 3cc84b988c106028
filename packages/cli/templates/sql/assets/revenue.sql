-- Revenue per day and currency.
-- @check not_null(revenue)
SELECT day, currency, sum(total::DECIMAL(18, 2)) AS revenue
FROM orders_clean
GROUP BY day, currency
ORDER BY day, currency
