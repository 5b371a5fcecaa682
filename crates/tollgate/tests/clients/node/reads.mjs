// What JSON.parse makes of each body in a file, beside what the gateway judged: see tests/it/differential.rs.
// Takes {"file"} on standard input; each line of the file is a body in base64, a space, and a reading or "-".
import { readFileSync } from 'node:fs';

// A server takes bytes as UTF-8, replaces what is none and drops a byte order mark.
const decoder = new TextDecoder('utf-8');

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// Whether a judged value, tagged so that every parser reads it alike, is the one that was parsed.
function same(judged, parsed) {
  if (Array.isArray(judged)) {
    return Array.isArray(parsed) && judged.length === parsed.length && judged.every((value, i) => same(value, parsed[i]));
  }
  if (!isObject(judged)) return judged === parsed;
  if ('n' in judged) return Number.isFinite(parsed) && Number(judged.n) === parsed;
  return (
    isObject(parsed) &&
    Object.keys(parsed).length === judged.o.length &&
    judged.o.every(([key, value]) => Object.hasOwn(parsed, key) && same(value, parsed[key]))
  );
}

function agrees(judged, message) {
  if (!isObject(message) || message.method !== judged.method) return false;
  if ('id' in judged ? !same(judged.id, message.id) : 'id' in message) return false;
  if (judged.method !== 'tools/call') return true;
  const { name, arguments: args } = message.params;
  return name === judged.name && (judged.arguments === null ? (args ?? null) === null : same(judged.arguments, args));
}

const { file } = JSON.parse(readFileSync(0, 'utf8'));
const report = { bodies: 0, readable: 0, different: 0, examples: [] };
for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
  const [body, ...rest] = line.split(' ');
  const text = decoder.decode(Buffer.from(body, 'base64'));
  report.bodies += 1;
  let message;
  try {
    message = JSON.parse(text);
    report.readable += 1;
  } catch {
    message = undefined;
  }
  const judged = JSON.parse(rest.join(' ') === '-' ? 'null' : rest.join(' '));
  if (judged !== null && !agrees(judged, message)) {
    report.different += 1;
    if (report.examples.length < 5) report.examples.push(text);
  }
}
console.log(JSON.stringify(report));
