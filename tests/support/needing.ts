/** Tests that need programs which may not be installed. Knows AVA, and no program by what it does. */

import { spawnSync } from 'node:child_process';

import test, { type ExecutionContext } from 'ava';

import { isInstalled } from './programs.ts';

/** What a test of real programs is given to run as. */
export type ProgramTest = (title: string, implementation: (t: ExecutionContext) => Promise<void>) => void;

/** `namespaces` stands for the right to make user, network and mount namespaces; everything else is a program's name. */
export const NAMESPACES = 'namespaces';

/**
 * AVA's `test` for tests that need these programs. Where one is missing the test is passed over and its name says which:
 * the suite passes on a machine with nothing but Node, and nobody takes it for a whole run.
 */
export function needing(...needs: readonly string[]): ProgramTest {
  const missing = needs.filter((need) => !(need === NAMESPACES ? mayMakeNamespaces() : isInstalled(need)));
  if (missing.length === 0) return (title, implementation) => test(title, implementation);
  return (title, implementation) => test.skip(`${title} (not installed: ${missing.join(', ')})`, implementation);
}

// Containers often may not.
let mayMake: boolean | undefined;
function mayMakeNamespaces(): boolean {
  mayMake ??=
    ['unshare', 'nsenter', 'ip', 'mount', 'getent'].every(isInstalled) &&
    spawnSync('unshare', ['--map-root-user', '--net', '--mount', 'ip', 'link', 'add', 'dns0', 'type', 'veth'])
      .status === 0;
  return mayMake;
}
