/**
 * The text of one manifest file to the raw objects in it, with the place of each part kept for error messages.
 * Knows nothing of what the objects mean, and nothing of folders.
 */

import {
  LineCounter,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
  type Alias,
  type Document,
} from 'yaml';

import { fieldsOf, isFields, type Fields } from '../api-values.ts';
import type { Count } from '../../units.ts';

/** A way into an object: `['spec', 'ports', 0, 'port']`. */
export type Path = readonly (string | number)[];

/** Where something stands in a file; `line` and `column` count from 1. */
export type Place = { readonly file: string; readonly line: number; readonly column: number };

/** One API object as it was written, and where. */
export type ManifestObject = {
  readonly raw: Fields;
  /** The place of the part at the end of the path, or of the innermost part that holds it. */
  readonly place: (path: Path) => Place;
};

/** Something wrong with a manifest: where, what was found, what was expected. */
export type Complaint = { readonly place: Place; readonly text: string };

/** What a file holds. */
export type ManifestFile = { readonly objects: readonly ManifestObject[]; readonly complaints: readonly Complaint[] };

/** Aliases (`*name`) in a document; with those inside aliases, no anchor may be meant more often than that either. */
export const ALIASES_MAX: Count = 1000;
/** Values (texts, numbers, lists, mappings) in a file with its aliases written out. Without aliases a file cannot have as many. */
export const VALUES_MAX: Count = 1_000_000;
/** Comparisons of mapping keys per file; they grow with the square of a mapping's size, and a mapping of 2,000 keys is no manifest. */
export const KEY_COMPARISONS_MAX: Count = 2_000_000;

/** Everything in a file, or all that is wrong with it. Never throws. */
export function manifestObjectsFrom(file: string, text: string): ManifestFile {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const objects: ManifestObject[] = [];
  const complaints: Complaint[] = [];
  const budget = { values: VALUES_MAX };
  try {
    // `merge` because kubectl's YAML knows `<<` too; JSON is YAML.
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      merge: true,
      uniqueKeys: sameKeyWithin(KEY_COMPARISONS_MAX),
      logLevel: 'error',
    });
    for (const document of documents) {
      // The first error of a document causes most of those behind it.
      const [error] = document.errors;
      if (error === undefined) {
        read(document, placeAt, budget, objects, complaints);
      } else {
        const place = placeAt(error.pos[0]);
        complaints.push({ place, text: `not YAML: ${error.message}, found ${foundText(lineOf(text, place.line))}` });
      }
    }
  } catch (error) {
    // The parser recurses, so absurd nesting ends here as a RangeError; so do the two limits.
    const reason = error instanceof Error ? error.message : String(error);
    complaints.push({ place: placeAt(0), text: `cannot be read as YAML: ${reason}` });
  }
  return { objects, complaints };
}

/** Adds the objects of one document: none, one, or the items of a `kind: List`. */
function read(
  document: Document,
  placeAt: (offset: number) => Place,
  budget: { values: Count },
  objects: ManifestObject[],
  complaints: Complaint[],
): void {
  const place = (path: Path): Place => placeAt(offsetOf(document, path));
  const wrong = wrongAliasIn(document);
  if (wrong !== undefined) {
    complaints.push({ place: placeAt(wrong.alias.range?.[0] ?? 0), text: wrong.text });
    return;
  }
  const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
  if (value === null) return;
  budget.values -= valuesIn(value, budget.values);
  if (budget.values <= 0) {
    complaints.push({
      place: place([]),
      text: `a file may hold ${VALUES_MAX} values when its aliases are written out, found more`,
    });
    return;
  }
  if (!isFields(value)) {
    complaints.push({ place: place([]), text: `expected a Kubernetes object, found ${foundText(value)}` });
    return;
  }
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || items === undefined) {
    objects.push({ raw: value, place });
    return;
  }
  if (!Array.isArray(items)) {
    complaints.push({ place: place(['items']), text: `${kind}: items must be a list, found ${foundText(items)}` });
    return;
  }
  // `kubectl get services -o yaml` writes every item's kind; the API itself writes it once, in the list's own.
  const inherited = kind === 'List' ? {} : { apiVersion: value['apiVersion'], kind: kind.slice(0, -'List'.length) };
  for (const [i, item] of items.entries()) {
    objects.push({ raw: { ...inherited, ...fieldsOf(item) }, place: (path) => place(['items', i, ...path]) });
  }
}

/** A value in a few words, for "found …". */
export function foundText(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
  return text.length <= FOUND_MAX ? text : `${text.slice(0, FOUND_MAX)}… (${text.length} characters)`;
}

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    const whole: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(whole)) {
      node = typeof step === 'number' ? whole.items[step] : undefined;
    } else if (isMap(whole)) {
      const pair = whole.items.find(({ key }) => isScalar(key) && key.value === step);
      offset = startOf(pair?.key) ?? offset;
      node = pair?.value;
    } else {
      return offset;
    }
    offset = startOf(node) ?? offset;
  }
  return offset;
}

/** One pass before the package resolves aliases, because that takes time with the square of their number. */
function wrongAliasIn(document: Document): { readonly alias: Alias; readonly text: string } | undefined {
  const anchors = new Set<string>();
  let aliases = 0;
  let wrong: ReturnType<typeof wrongAliasIn>;
  visit(document, {
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return undefined;
      }
      if (!anchors.has(node.source)) {
        wrong = {
          alias: node,
          text: `*${node.source} must come behind an anchor &${node.source}, found no such anchor`,
        };
      } else if (++aliases > ALIASES_MAX) {
        wrong = { alias: node, text: `a document may have ${ALIASES_MAX} aliases, found one more` };
      }
      return wrong === undefined ? undefined : visit.BREAK;
    },
  });
  return wrong;
}

/** How many values there are, each as often as it can be reached; counted no further than `limit`, for a value may hold itself. */
function valuesIn(value: unknown, limit: Count): Count {
  const open: unknown[] = [value];
  let count = 0;
  while (open.length > 0 && count < limit) {
    const next = open.pop();
    count++;
    if (typeof next === 'object' && next !== null) for (const part of Object.values(next)) open.push(part);
  }
  return count;
}

/** Undefined for an empty one, and behind the end. */
function lineOf(text: string, line: number): string | undefined {
  const content = text.split('\n', line)[line - 1]?.trim();
  return content === '' ? undefined : content;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function sameKeyWithin(limit: Count): (a: unknown, b: unknown) => boolean {
  let comparisons = 0;
  return (a, b) => {
    if (++comparisons > limit) throw new RangeError('a mapping has too many keys');
    return a === b || (isScalar(a) && isScalar(b) && a.value === b.value);
  };
}

const FOUND_MAX: Count = 60;
