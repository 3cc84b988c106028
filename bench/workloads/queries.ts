/** Generated orders, customers and items, and a dozen queries of the kinds that people write over them. */

export const sourceQueries: Readonly<Record<string, string>> = {
  raw_customers: `SELECT i AS id, 'customer ' || i AS name, (i * 7919) % 25 AS country, DATE '2019-01-01' + (i % 900)::INTEGER AS since
FROM range(20000) t(i)`,
  raw_orders: `SELECT i AS id, (i * 48271) % 20000 AS customer, DATE '2022-01-01' + (i % 730)::INTEGER AS day,
  ['new', 'paid', 'sent', 'back'][1 + (i * 31) % 4] AS state, 'note ' || hash(i) AS note FROM range(250000) t(i)`,
  raw_items: `SELECT i // 4 AS order_id, i % 4 AS line, (i * 69621) % 5000 AS product, 1 + (i * 17) % 9 AS quantity,
  ((i * 7907) % 20000)::DECIMAL(10, 2) / 100 AS price FROM range(1000000) t(i)`,
}

export const queries: Readonly<Record<string, string>> = {
  customers: `SELECT id, trim(name) AS name, country, since FROM raw_customers WHERE id IS NOT NULL ORDER BY id`,
  orders: `SELECT id, customer, day, state FROM raw_orders WHERE state <> 'new' ORDER BY id`,
  items: `SELECT order_id, line, product, quantity, price::DECIMAL(10, 2) AS price, (quantity * price)::DECIMAL(14, 2) AS amount
FROM raw_items ORDER BY order_id, line`,
  order_items: `SELECT o.id, o.customer, o.day, o.state, i.product, i.quantity, i.amount
FROM orders o JOIN items i ON i.order_id = o.id ORDER BY o.id, i.line`,
  order_totals: `SELECT id, any_value(customer) AS customer, any_value(day) AS day, sum(amount) AS total, count(*) AS lines
FROM order_items GROUP BY id ORDER BY id`,
  revenue_by_day: `SELECT day, sum(total) AS revenue, count(*) AS orders FROM order_totals GROUP BY day ORDER BY day`,
  revenue_by_country: `SELECT c.country, sum(o.total) AS revenue FROM order_totals o JOIN customers c ON c.id = o.customer
GROUP BY c.country ORDER BY c.country`,
  products: `SELECT product, sum(quantity) AS sold, sum(amount) AS revenue, count(DISTINCT customer) AS customers
FROM order_items GROUP BY product ORDER BY product`,
  best_products: `SELECT * FROM products ORDER BY revenue DESC, product LIMIT 100`,
  customer_values: `SELECT customer, sum(total) AS total, min(day) AS first_day, max(day) AS last_day, count(*) AS orders
FROM order_totals GROUP BY customer ORDER BY customer`,
  ranked: `SELECT id, customer, day, total, row_number() OVER (PARTITION BY customer ORDER BY day, id) AS n
FROM order_totals ORDER BY id`,
  returning_customers: `SELECT date_trunc('month', day)::DATE AS month, count(*) FILTER (n > 1) AS returning, count(*) AS orders
FROM ranked GROUP BY 1 ORDER BY 1`,
}
