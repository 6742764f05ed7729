-- The names and numbers of types are those of JDBC.
SELECT current_database() AS "CatalogName",
  n.nspname AS "SchemaName",
  c.relname AS "TableName",
  a.attname AS "ColumnName",
  CASE WHEN t.typcategory = 'A' THEN 'ARRAY'
    WHEN t.typname = 'bool' THEN 'BOOLEAN'
    WHEN t.typname = 'int2' THEN 'SMALLINT'
    WHEN t.typname = 'int4' THEN 'INTEGER'
    WHEN t.typname = 'int8' THEN 'BIGINT'
    WHEN t.typname = 'float4' THEN 'REAL'
    WHEN t.typname = 'float8' THEN 'DOUBLE'
    WHEN t.typname = 'numeric' THEN 'NUMERIC'
    WHEN t.typname = 'bytea' THEN 'BINARY'
    WHEN t.typname = 'date' THEN 'DATE'
    WHEN t.typname = 'time' THEN 'TIME'
    WHEN t.typname IN ('timestamp', 'timestamptz') THEN 'TIMESTAMP'
    ELSE 'VARCHAR' END AS "DataTypeName",
  CASE WHEN t.typcategory = 'A' THEN 2003
    WHEN t.typname = 'bool' THEN 16
    WHEN t.typname = 'int2' THEN 5
    WHEN t.typname = 'int4' THEN 4
    WHEN t.typname = 'int8' THEN -5
    WHEN t.typname = 'float4' THEN 7
    WHEN t.typname = 'float8' THEN 8
    WHEN t.typname = 'numeric' THEN 2
    WHEN t.typname = 'bytea' THEN -2
    WHEN t.typname = 'date' THEN 91
    WHEN t.typname = 'time' THEN 92
    WHEN t.typname IN ('timestamp', 'timestamptz') THEN 93
    ELSE 12 END AS "DataType",
  CASE WHEN t.typlen > 0 THEN CAST(t.typlen AS integer) END AS "Length",
  CAST(NULL AS integer) AS "DisplaySize",
  CASE t.typname WHEN 'int2' THEN 5 WHEN 'int4' THEN 10 WHEN 'int8' THEN 19 WHEN 'numeric' THEN 38 END
    AS "NumericPrecision",
  CASE WHEN t.typname IN ('int2', 'int4', 'int8') THEN 0 WHEN t.typname = 'numeric' THEN 10 END AS "NumericScale",
  NOT a.attnotnull AS "IsNullable",
  pg_catalog.col_description(c.oid, a.attnum) AS "Description",
  CAST(a.attnum AS integer) AS "Ordinal",
  CASE WHEN a.attname = '$id' THEN 'YES' ELSE 'NO' END AS "IsAutoIncrement",
  'NO' AS "IsGeneratedColumn",
  false AS "IsHidden",
  t.typcategory = 'A' AS "IsArray",
  true AS "IsReadOnly",
  k.conrelid IS NOT NULL AS "IsKey"
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN (
  SELECT conrelid, unnest(conkey) AS attnum FROM pg_catalog.pg_constraint WHERE contype = 'p'
) AS k ON k.conrelid = c.oid AND k.attnum = a.attnum
WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND a.attnum > 0
