SELECT k.table_catalog AS "CatalogName",
  k.table_schema AS "SchemaName",
  k.table_name AS "TableName",
  k.column_name AS "ColumnName",
  CAST(k.ordinal_position AS text) AS "KeySeq",
  k.constraint_name AS "KeyName"
FROM information_schema.key_column_usage AS k
JOIN information_schema.table_constraints AS c
  ON c.constraint_schema = k.constraint_schema AND c.constraint_name = k.constraint_name
  AND c.table_name = k.table_name
WHERE c.constraint_type = 'PRIMARY KEY'
