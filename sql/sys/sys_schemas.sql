SELECT catalog_name AS "CatalogName", schema_name AS "SchemaName"
FROM information_schema.schemata
WHERE schema_name NOT IN ('pg_catalog', 'information_schema')
