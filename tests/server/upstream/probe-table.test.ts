import test from 'ava';

import { askerOf, ProbeTable, probeMemory } from '../../../server/upstream/probe-table.ts';

const ASKER = askerOf('dns://:53 .');
const OTHER = askerOf('dns://:54 .');

test('what one thread asks every thread recognises, for who asked, until it is removed', (t) => {
  const memory = probeMemory(3);
  const tables = [0, 1, 2].map((thread) => new ProbeTable(memory, thread));
  const [own] = tables;
  const probe = own?.add(ASKER);
  if (own === undefined || probe === undefined) return t.fail();
  t.false(own.hasComeBack(probe));
  t.deepEqual(
    tables.map((table) => table.recognise(OTHER, probe.first, probe.second)),
    [false, false, false],
  );
  t.false(own.recognise(ASKER, probe.first, probe.second ^ 1n));
  t.false(own.hasComeBack(probe));
  t.true(tables[2]?.recognise(ASKER, probe.first, probe.second));
  t.true(own.hasComeBack(probe));
  own.remove(probe);
  t.deepEqual(
    tables.map((table) => table.recognise(ASKER, probe.first, probe.second)),
    [false, false, false],
  );
  return undefined;
});

test('a thread that begins again forgets what the one before it asked, and nothing of the others', (t) => {
  const memory = probeMemory(2);
  const [first, second] = [new ProbeTable(memory, 0), new ProbeTable(memory, 1)];
  const [lost, kept] = [first.add(ASKER), second.add(ASKER)];
  if (lost === undefined || kept === undefined) return t.fail();
  const successor = new ProbeTable(memory, 0);
  t.false(successor.recognise(ASKER, lost.first, lost.second));
  t.true(successor.recognise(ASKER, kept.first, kept.second));
  return undefined;
});

test('a thousand probes of a thread find room; without room there is no probe, and none is lost', (t) => {
  const table = new ProbeTable(probeMemory(2), 1);
  const probes = Array.from({ length: 10_000 }, () => table.add(ASKER));
  t.true(probes.slice(0, 1_000).every((probe) => probe !== undefined));
  t.true(probes.includes(undefined));
  const found = probes.filter((probe) => probe !== undefined);
  t.true(found.every(({ first, second }) => table.recognise(ASKER, first, second)));
});

test('numbers that are too large for a probe are nobody’s', (t) => {
  const table = new ProbeTable(probeMemory(1), 0);
  const probe = table.add(ASKER);
  if (probe === undefined) return t.fail();
  t.false(table.recognise(ASKER, probe.first + (1n << 64n), probe.second));
  return undefined;
});
