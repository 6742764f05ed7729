SELECT current_database() AS "CatalogName",
  current_schema() AS "SchemaName",
  'refresh_schema' AS "ProcedureName",
  'Reads the apps and their forms anew' AS "Description",
  'PROCEDURE' AS "ProcedureType"
