SELECT k.table_catalog AS "CatalogName",
  k.table_schema AS "SchemaName",
  k.table_name AS "TableName",
  k.column_name AS "ColumnName",
  r.unique_constraint_name AS "PrimaryKeyName",
  r.constraint_name AS "ForeignKeyName",
  p.table_catalog AS "ReferencedCatalogName",
  p.table_schema AS "ReferencedSchemaName",
  p.table_name AS "ReferencedTableName",
  p.column_name AS "ReferencedColumnName",
  'IMPORT' AS "ForeignKeyType"
FROM information_schema.referential_constraints AS r
JOIN information_schema.key_column_usage AS k
  ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
JOIN information_schema.key_column_usage AS p
  ON p.constraint_schema = r.unique_constraint_schema AND p.constraint_name = r.unique_constraint_name
  AND p.ordinal_position = k.position_in_unique_constraint
