/**
 * Golden answers that depend on the addresses of the server's machine: fixtures/answers/in-namespace, asked in a network
 * namespace of its own, which Linux gives to anyone who may have a user namespace.
 */

import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

import test from 'ava';

import { readGoldenFiles } from './support/golden-servers.ts';
import { ROOT } from './support/server.ts';

const NAMESPACE = ['--map-root-user', '--net'];
/** A pair of virtual interfaces, for an address of the loopback interface counts for nothing. */
const WITH_ADDRESS = `
  ip link set lo up && ip link add dns0 type veth peer name dns1 && ip addr add "$1" dev dns0 &&
  ip link set dns0 up && ip link set dns1 up && exec "$2" tests/support/golden-answers.ts "$3"`;

// Containers often may not.
const hasNamespaces = spawnSync('unshare', [...NAMESPACE, 'ip', 'link', 'add', 'dns0', 'type', 'veth']).status === 0;
const run = hasNamespaces ? test : test.skip;

for (const file of readGoldenFiles('fixtures/answers/in-namespace')) {
  run(`${file.name} with the address ${file.address}`, async (t) => {
    const { stdout } = await promisify(execFile)(
      'unshare',
      [...NAMESPACE, 'sh', '-c', WITH_ADDRESS, 'sh', file.address ?? '', process.execPath, file.path],
      { cwd: ROOT },
    );
    const expected = file.cases.flatMap((golden) => golden.protocols.map(() => golden.expected));
    t.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(expected)));
  });
}
