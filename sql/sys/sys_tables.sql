SELECT current_database() AS "CatalogName",
  n.nspname AS "SchemaName",
  c.relname AS "TableName",
  CASE WHEN c.relkind = 'v' THEN 'VIEW' ELSE 'TABLE' END AS "TableType",
  pg_catalog.obj_description(c.oid, 'pg_class') AS "Description",
  false AS "IsUpdateable"
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
