/** A plan's blocks in use. */

import test from 'ava';

import { routesOf } from '../../../server/data/block.ts';
import type { Plugin } from '../../../server/pipeline.ts';
import type { BlockPlan, ListenerPlan } from '../../../server/plan.ts';
import { nameFrom, ROOT } from '../../../zones/name.ts';
import { testContext } from '../../support/plugin-context.ts';

test('a plugin is told of all the hosts that its block listens on and of no others, and which listener comes first', (t) => {
  const { context } = testContext();
  const told: string[] = [];
  const telling: Plugin<string> = {
    name: 'telling',
    parse: () => '',
    layer(block, { server, hosts, isFirst }) {
      told.push(`${block} on ${server}: ${hosts.join(' ')}${isFirst ? ', first' : ''}`);
      return (next) => next;
    },
  };
  const listeners = [
    listener('192.0.2.1', 53, [0, 1]),
    listener('192.0.2.2', 53, [0]),
    listener('192.0.2.2', 54, [0]),
    listener('', 55, [2]),
  ];
  routesOf(
    { listeners, blocks: ['first', 'second', 'third'].map(block) },
    new Map([['telling', telling as Plugin<unknown>]]), // its options are what `block` writes
    (_block, { server }, place) => ({ ...context, server, ...place }),
  );
  t.deepEqual(told, [
    'first on dns://192.0.2.1:53: 192.0.2.1 192.0.2.2, first',
    'second on dns://192.0.2.1:53: 192.0.2.1, first',
    'first on dns://192.0.2.2:53: 192.0.2.1 192.0.2.2',
    'first on dns://192.0.2.2:54: 192.0.2.1 192.0.2.2',
    'third on dns://:55: , first',
  ]);
});

function listener(host: string, port: number, blocks: readonly number[]): ListenerPlan {
  const routes = blocks.map((block) => ({ zone: nameFrom(`${block}.example`), block }));
  return { server: `dns://${host}:${port}`, host, port, routes };
}

function block(options: string): BlockPlan {
  const position = { file: 'Corefile', line: 1, column: 1 };
  const key = { transport: 'dns' as const, zone: ROOT, port: 53, position };
  return { keys: [key], position, plugins: [{ name: 'telling', options }] };
}
