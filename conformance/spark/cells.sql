-- Cells that engines like to write differently: as Spark writes them by itself, as they are, and read back from what Spark writes by itself.
-- Variable: output (the folder to write to).

SET TIME ZONE 'UTC';

CREATE OR REPLACE TEMPORARY VIEW cells AS
SELECT id, text, CAST(number AS DOUBLE) AS number
FROM (VALUES
  (0, 'plain', 1.5),
  (1, 'a"b', 1.5),
  (2, '"quoted"', 1.5),
  (3, '"', 1.5),
  (4, '""', 1.5),
  (5, 'back\\slash', 1.5),
  (6, 'end\\', 1.5),
  (7, 'a\\"b', 1.5),
  (8, '\\"', 1.5),
  (9, '\\', 1.5),
  (10, 'a,b', 1.5),
  (11, ' before', 1.5),
  (12, 'after ', 1.5),
  (13, ' a,b ', 1.5),
  (14, ' ', 1.5),
  (15, ' "q" ', 1.5),
  (16, '\ttab\t', 1.5),
  (17, '', 1.5),
  (18, 'Øre', 1.5),
  (19, 'a\\,b', 1.5),
  (20, '\\,"', 1.5),
  (21, 'null', 1.5),
  (22, 'a\\\\"b', 1.5),
  (23, 'it\'s', 1.5),
  (24, 'a;b', 1.5),
  (25, NULL, NULL),
  (26, 'NaN', CAST('NaN' AS DOUBLE)),
  (27, 'Infinity', CAST('Infinity' AS DOUBLE)),
  (28, '-Infinity', CAST('-Infinity' AS DOUBLE))
) AS given(id, text, number);

INSERT OVERWRITE DIRECTORY '${output}/plain' USING csv SELECT id, text, number FROM cells ORDER BY id;

INSERT OVERWRITE DIRECTORY '${output}/exact' USING csv OPTIONS (escape '"', ignoreLeadingWhiteSpace 'false', ignoreTrailingWhiteSpace 'false')
SELECT id, text, number, id % 2 = 0 AS is_even, DATE '2026-01-05' AS day, TIMESTAMP '2026-01-05 10:00:00' AS time FROM cells ORDER BY id;

CREATE OR REPLACE TEMPORARY VIEW read_back (id INT, text STRING, number DOUBLE) USING csv OPTIONS (path '${output}/plain');

INSERT OVERWRITE DIRECTORY '${output}/again' USING csv OPTIONS (escape '"', ignoreLeadingWhiteSpace 'false', ignoreTrailingWhiteSpace 'false')
SELECT id, text, number FROM read_back ORDER BY id;
