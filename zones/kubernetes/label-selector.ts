/**
 * Label selectors as `kubectl -l` and the API take them. Where an API server does the selecting this is not needed.
 * Knows nothing of objects but their labels.
 */

import type { Fields } from './api-values.ts';

/** Do these labels match? */
export type LabelSelector = (labels: Fields) => boolean;

/** A text that is no label selector. */
export class LabelSelectorError extends Error {
  readonly code = 'LABEL_SELECTOR';

  constructor(part: string) {
    const forms = 'key, !key, key=value, key!=value, key in (a,b), key notin (a,b), key>1, key<1';
    super(`"${part}" is not a label requirement; expected ${forms}, with commas between several`);
    this.name = 'LabelSelectorError';
  }
}

/**
 * All requirements must hold. An empty text selects everything. As in the API, `!=` and `notin` hold where the key is absent.
 * @throws LabelSelectorError
 */
export function labelSelectorFrom(text: string): LabelSelector {
  if (text.trim() === '') return () => true;
  const requirements = text.split(/,(?![^(]*\))/).map((part) => requirementFrom(part.trim()));
  return (labels) => requirements.every((holds) => holds(labels));
}

function requirementFrom(part: string): LabelSelector {
  const [, mark, existing] = EXISTENCE.exec(part) ?? [];
  if (existing !== undefined) return (labels) => Object.hasOwn(labels, existing) === (mark === '');

  const [, equalKey, operator, value] = EQUALITY.exec(part) ?? [];
  if (equalKey !== undefined) return (labels) => (labelOf(labels, equalKey) === value) === (operator !== '!=');

  const [, setKey, word, list] = MEMBERSHIP.exec(part) ?? [];
  if (setKey !== undefined && list !== undefined) {
    const values = new Set(list.split(',').map((item) => item.trim()));
    return (labels) => values.has(labelOf(labels, setKey) ?? ABSENT) === (word === 'in');
  }

  const [, numberKey, sign, bound] = COMPARISON.exec(part) ?? [];
  if (numberKey === undefined) throw new LabelSelectorError(part);
  return (labels) => {
    const label = labelOf(labels, numberKey) ?? '';
    if (!/^-?[0-9]+$/.test(label)) return false;
    return sign === '>' ? Number(label) > Number(bound) : Number(label) < Number(bound);
  };
}

function labelOf(labels: Fields, key: string): string | undefined {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

const KEY = '([A-Za-z0-9][A-Za-z0-9_./-]*)';
const VALUE = '([A-Za-z0-9_.-]*)';
const EXISTENCE = new RegExp(`^(!?)\\s*${KEY}$`);
const EQUALITY = new RegExp(`^${KEY}\\s*(==|=|!=)\\s*${VALUE}$`);
const MEMBERSHIP = new RegExp(`^${KEY}\\s+(in|notin)\\s*\\(([A-Za-z0-9_.,\\s-]*)\\)$`);
const COMPARISON = new RegExp(`^${KEY}\\s*([<>])\\s*(-?[0-9]+)$`);
/** No label value has a space. */
const ABSENT = ' ';
