-- From the shop's raw events of one interval to one row for each (session, product) that reached the cart or was bought.
-- Spark SQL. Variables: events (the table), start (inclusive), end (exclusive), output (the folder to replace).

SET TIME ZONE 'UTC';

CREATE OR REPLACE TEMPORARY VIEW raw_events USING bigquery OPTIONS (
  table '${events}',
  filter "event_time >= '${start}' AND event_time < '${end}'"
);

-- Times mean UTC, and a Monday is day 0. 30 September 2019 was a Monday.
SELECT assert_true(
  current_timezone() IN ('UTC', 'Etc/UTC') AND hour(TIMESTAMP '2019-09-30 12:00:00') = 12 AND weekday(TIMESTAMP '2019-09-30 12:00:00') = 0,
  'The session must be in UTC with Monday as day 0. Keep SET TIME ZONE in this script.'
);

SELECT assert_true(
  count(*) > 0,
  'There are no events from ${start} to ${end}. Load the events of that interval, or run an interval that has some.'
) FROM raw_events;

-- 1. Events without a session cannot be followed.
CREATE OR REPLACE TEMPORARY VIEW session_events AS
SELECT
  CAST(event_time AS TIMESTAMP) AS event_time,
  event_type,
  CAST(product_id AS BIGINT) AS product_id,
  nullif(category_code, '') AS category_code,
  nullif(brand, '') AS brand,
  CAST(price AS DOUBLE) AS price,
  CAST(user_id AS BIGINT) AS user_id,
  user_session
FROM raw_events
WHERE user_session IS NOT NULL AND user_session <> '';

-- 3, 6. What is known of a session as a whole, over all its events.
CREATE OR REPLACE TEMPORARY VIEW sessions AS
SELECT
  user_session,
  count_if(event_type = 'view') AS num_views_session,
  unix_timestamp(max(event_time)) - unix_timestamp(min(event_time)) AS duration
FROM session_events
GROUP BY user_session;

-- 2. What is known of a product in a session.
CREATE OR REPLACE TEMPORARY VIEW session_products AS
SELECT
  user_session,
  product_id,
  max(CASE WHEN event_type = 'purchase' THEN 1 ELSE 0 END) AS purchased,
  count_if(event_type = 'view') AS num_views_product
FROM session_events
GROUP BY user_session, product_id;

-- 7. The first cart and the first purchase of each product by each user in each session. Ties are broken by what is in the rows, never by chance.
CACHE TABLE retained AS
SELECT event_time, event_type, product_id, category_code, brand, price, user_id, user_session
FROM (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY event_type, product_id, user_id, user_session
      ORDER BY event_time, price, brand, category_code
    ) AS nth
  FROM session_events
  WHERE event_type IN ('cart', 'purchase')
) AS numbered
WHERE nth = 1;

-- 8. How many sessions of the same user reached the cart before this one, inside the interval.
CREATE OR REPLACE TEMPORARY VIEW previous_sessions AS
SELECT
  user_id,
  user_session,
  row_number() OVER (PARTITION BY user_id ORDER BY first_time, user_session) - 1 AS num_prev_sessions
FROM (
  SELECT user_id, user_session, min(event_time) AS first_time
  FROM retained
  GROUP BY user_id, user_session
) AS firsts;

-- 9. The same for each product: in how many earlier sessions it reached the cart. The name is the published one.
CREATE OR REPLACE TEMPORARY VIEW previous_products AS
SELECT
  user_id,
  product_id,
  user_session,
  row_number() OVER (PARTITION BY user_id, product_id ORDER BY first_time, user_session) - 1 AS num_prev_product_views
FROM (
  SELECT user_id, product_id, user_session, min(event_time) AS first_time
  FROM retained
  GROUP BY user_id, product_id, user_session
) AS firsts;

-- 10. The first retained event of each (session, product) gives the row its time, brand and price.
CREATE OR REPLACE TEMPORARY VIEW first_events AS
SELECT *
FROM (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY user_session, product_id
      ORDER BY event_time, event_type, user_id, price, brand, category_code
    ) AS nth
  FROM retained
) AS numbered
WHERE nth = 1;

CACHE TABLE purchase_rows AS
SELECT
  e.event_time,
  e.product_id,
  e.brand,
  e.price,
  e.user_id,
  e.user_session,
  p.purchased,
  s.num_views_session,
  p.num_views_product,
  nullif(split_part(e.category_code, '.', 1), '') AS category,
  nullif(split_part(e.category_code, '.', 2), '') AS sub_category,
  hour(e.event_time) AS hour,
  minute(e.event_time) AS minute,
  weekday(e.event_time) AS weekday,
  s.duration,
  u.num_prev_sessions,
  v.num_prev_product_views
FROM first_events AS e
JOIN sessions AS s ON s.user_session = e.user_session
JOIN session_products AS p ON p.user_session = e.user_session AND p.product_id = e.product_id
JOIN previous_sessions AS u ON u.user_id = e.user_id AND u.user_session = e.user_session
JOIN previous_products AS v ON v.user_id = e.user_id AND v.product_id = e.product_id AND v.user_session = e.user_session;

SELECT assert_true(
  count(*) > 0,
  'No session from ${start} to ${end} reached the cart, so there is nothing to learn from. Check the events of that interval.'
) FROM purchase_rows;

-- A pair that appears twice would weigh twice in the training and leak into its test.
SELECT assert_true(
  count(*) = 0,
  concat('(user_session, product_id) must be unique, but ', CAST(count(*) AS STRING), ' pairs appear more than once.')
) FROM (
  SELECT user_session, product_id
  FROM purchase_rows
  GROUP BY user_session, product_id
  HAVING count(*) > 1
) AS repeated;

SELECT assert_true(
  count(*) = 0,
  concat('Counts must not be empty, but ', CAST(count(*) AS STRING), ' rows lack one.')
) FROM purchase_rows
WHERE purchased IS NULL OR num_views_session IS NULL OR num_views_product IS NULL OR duration IS NULL
  OR num_prev_sessions IS NULL OR num_prev_product_views IS NULL OR price IS NULL OR hour IS NULL OR minute IS NULL OR weekday IS NULL;

-- Quotes inside of a cell are doubled, as readers of CSV expect; Spark by itself would put backslashes before them and cut spaces off.
INSERT OVERWRITE DIRECTORY '${output}' USING csv OPTIONS (
  header 'true',
  escape '"',
  ignoreLeadingWhiteSpace 'false',
  ignoreTrailingWhiteSpace 'false'
)
SELECT
  product_id, brand, price, user_id, user_session, purchased, num_views_session, num_views_product, category, sub_category,
  hour, minute, weekday, duration, num_prev_sessions, num_prev_product_views
FROM purchase_rows
ORDER BY event_time, user_session, product_id;
