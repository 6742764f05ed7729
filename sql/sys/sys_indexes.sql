SELECT current_database() AS "CatalogName",
  n.nspname AS "SchemaName",
  c.relname AS "TableName",
  x.relname AS "IndexName",
  a.attname AS "ColumnName",
  i.indisunique AS "IsUnique",
  i.indisprimary AS "IsPrimary",
  3 AS "Type",
  'A' AS "SortOrder",
  CAST(k.attnum AS integer) AS "OrdinalPosition"
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS k ON k.attrelid = i.indexrelid
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = k.attname
