SELECT "CatalogName", "SchemaName", "TableName", "ColumnName",
  true AS "IsKey",
  false AS "IsForeignKey",
  "KeyName" AS "PrimaryKeyName",
  CAST(NULL AS text) AS "ForeignKeyName",
  CAST(NULL AS text) AS "ReferencedCatalogName",
  CAST(NULL AS text) AS "ReferencedSchemaName",
  CAST(NULL AS text) AS "ReferencedTableName",
  CAST(NULL AS text) AS "ReferencedColumnName"
FROM sys_primarykeys
UNION ALL
SELECT "CatalogName", "SchemaName", "TableName", "ColumnName",
  false, true, "PrimaryKeyName", "ForeignKeyName",
  "ReferencedCatalogName", "ReferencedSchemaName", "ReferencedTableName", "ReferencedColumnName"
FROM sys_foreignkeys
