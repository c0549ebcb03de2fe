/** The table of plugins and its examples say what the code does. */

import { readFileSync } from 'node:fs';

import test from 'ava';

import { PLUGIN_ORDER, pluginOf, plugins } from '../../../server/plugins/order.ts';
import { blockFrom } from '../../support/directive.ts';

const text = readFileSync('server/plugins/README.md', 'utf8');
const rows = [
  ...text.matchAll(/^\| `([a-z0-9_]+)` \| `(.*?)` \| .* \| \[([a-z0-9_]+\.ts)\]\(([a-z0-9_]+\.ts)\) \|$/gm),
];
/** The Corefiles below each heading, by its word. */
const examples = text
  .split(/^### /m)
  .slice(1)
  .map((section) => ({
    word: section.slice(0, section.indexOf('\n')),
    corefiles: [...section.matchAll(/^```corefile\n(.*?)^```$/gms)].map(([, corefile = '']) => corefile),
  }));

test('every plugin has a row and an example, and no other word has', (t) => {
  const known = [...plugins.keys()].toSorted();
  t.deepEqual(rows.map(([, word = '']) => word).toSorted(), known);
  t.deepEqual(examples.map(({ word }) => word).toSorted(), known);
  t.true(examples.every(({ corefiles }) => corefiles.length > 0));
  for (const word of known) t.true(PLUGIN_ORDER.includes(word));
});

for (const [, word = '', syntax = '', shown, linked] of rows) {
  test(`the row of ${word} begins its syntax with the word and links its file`, (t) => {
    t.regex(syntax, new RegExp(`^${word}( |$)`));
    t.deepEqual([shown, linked], [`${word}.ts`, `${word}.ts`]);
  });
}

for (const { word, corefiles } of examples) {
  test(`each example of ${word} uses it, and every plugin in it takes its directives`, (t) => {
    for (const corefile of corefiles) {
      const block = blockFrom(corefile);
      const words = new Set(block.directives.map(({ name }) => name.text));
      t.true(words.has(word));
      for (const each of words) {
        const [first, ...more] = block.directives.filter(({ name }) => name.text === each);
        if (first !== undefined) t.notThrows(() => pluginOf(first.name).parse([first, ...more], block));
      }
    }
  });
}
