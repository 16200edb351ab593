// Is a document valid by the official parser? Its errors and warnings are printed, one a line; exit code 1 when there are any.
// node asyncapi_valid.mjs FILE; npm ci in this folder first.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const [, , file] = process.argv;
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'));
const faults = diagnostics.filter(d => d.severity <= 1);
for (const fault of faults) {
  console.log(`${file}:${fault.range.start.line + 1}:${fault.range.start.character + 1} ${fault.code}: ${fault.message}`);
}

if (!document || faults.length > 0) {
  process.exit(1);
}

console.log(`valid: AsyncAPI ${document.version()}, ${document.allMessages().all().length} messages`);
