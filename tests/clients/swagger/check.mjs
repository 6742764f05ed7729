// Validates a Swagger document: node check.mjs URL-OR-FILE
// Needs: npm install @apidevtools/swagger-parser
import SwaggerParser from "@apidevtools/swagger-parser";

const source = process.argv[2];
if (!source) {
  console.error("usage: node swagger.mjs URL-OR-FILE");
  process.exit(2);
}
// The parser by itself refuses addresses of this machine.
const document = source.startsWith("http") ? await (await fetch(source)).json() : source;
try {
  const api = await SwaggerParser.validate(document);
  const operations = Object.values(api.paths).flatMap((item) => Object.values(item));
  const ids = new Set(operations.map((operation) => operation.operationId));
  if (ids.size !== operations.length) throw new Error("an operationId occurs twice");
  console.log(`valid: ${api.info.title}, ${operations.length} operations`);
} catch (error) {
  console.error(`invalid: ${error.message}`);
  process.exit(1);
}
