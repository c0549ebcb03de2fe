/** fivedots as a process: what its words, signals and exit codes do. Everything else is tested without one. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { exchange } from '../../support/client.ts';
import { asked, encodeQuery } from '../../support/query.ts';
import { freePort, ROOT } from '../../support/server.ts';

type Run = {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly output: () => string;
  /** Resolves when this has been printed. */
  readonly printed: (text: string) => Promise<void>;
  readonly exited: Promise<number | null>;
};

/** Node's options in the script `start`. */
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
const START_OPTIONS = scripts.start.split(' ').filter((word) => word.startsWith('--'));

/** With `options` of Node's. */
async function run(
  t: ExecutionContext,
  words: readonly string[],
  input?: string,
  options: readonly string[] = START_OPTIONS,
): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-process-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, [...options, join(ROOT, 'server/main.ts'), ...words], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  let output = '';
  let look: () => void = () => {};
  const collect = (octets: Buffer): void => {
    output += octets.toString();
    look();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exited = once(child, 'close').then(([code]) => code as number | null); // a number, or null after a signal
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      look = () => {
        if (output.includes(text)) resolve();
      };
      look();
      void exited.then(() => reject(new Error(`ended without "${text}":\n${output}`)));
    });
  return { child, folder, output: () => output, printed, exited };
}

/** A Corefile that answers on loopback, and its DNS port. */
async function whoami(more = ''): Promise<{ text: string; port: number }> {
  const port = await freePort();
  return { text: `.:${port} {\nbind 127.0.0.1\nwhoami\n${more}}\n`, port };
}

const UP = 'linux/';

const ENDS: readonly (readonly [string, readonly string[], string, number, RegExp])[] = [
  [
    '-version',
    ['-version'],
    '',
    0,
    /^fivedots-[0-9.]+\nlinux\/\w+, node v[0-9.]+\npublic TLDs of [0-9]{4}-[0-9]{2}-[0-9]{2}\n$/,
  ],
  ['-plugins', ['-plugins'], '', 0, /^dns\.any\n(dns\.\w+\n)+$/],
  ['-h', ['-h'], '', 0, /--conf <file>/],
  ['a word too many', ['Corefile'], '', 1, /too many arguments/],
  ['a Corefile that is not there', ['-conf', 'nowhere'], '', 1, /\[ERROR\] nowhere:1:1: cannot read "nowhere"/],
  ['a bad Corefile', ['-conf', 'stdin'], '. {\n  forwad\n}\n', 1, /\[ERROR\] stdin:2:3: found "forwad"/],
  ['--check of a good one', ['--check', '-conf', 'stdin'], '.:5300 {\nwhoami\n}\n', 0, /^\.:5300\nfivedots-/],
  ['--check of a bad one', ['--check', '-conf', 'stdin'], '. {\nforwad\n}\n', 1, /stdin:2:1/],
  ['--check without a Corefile', ['--check'], '', 0, /this is the demo, .*\n\.:1053 on 127\.0\.0\.1\n/],
  [
    'a pid file that cannot be written',
    ['-conf', 'stdin', '-pidfile', 'no/such/folder'],
    '.:0 {\nwhoami\n}\n',
    1,
    /\[ERROR\].*no\/such\/folder/,
  ],
];

for (const [name, words, input, code, expected] of ENDS) {
  test(`${name}: exit code ${code}`, async (t) => {
    const { exited, output } = await run(t, words, input);
    t.is(await exited, code, output());
    t.regex(output(), expected);
  });
}

test('a cluster that it is not in: exit code 1 with what to write', async (t) => {
  const { exited, output } = await run(t, ['-conf', 'stdin'], '.:0 {\nbind 127.0.0.1\nkubernetes cluster.local\n}\n');
  t.is(await exited, 1);
  t.regex(output(), /\[ERROR\] .*KUBERNETES_SERVICE_HOST/);
});

for (const [signal, code, said] of [
  ['SIGTERM', 0, /\[INFO\] SIGTERM: Shutting down servers then terminating/],
  ['SIGINT', 0, /\[INFO\] SIGINT: Shutting down/],
  ['SIGQUIT', 0, /^/],
] as const) {
  test(`${signal}: exit code ${code}, the pid file is gone`, async (t) => {
    const { text } = await whoami();
    const { child, folder, exited, output, printed } = await run(t, ['-conf', 'stdin', '-pidfile', 'pid'], text);
    await printed(UP);
    t.is(readFileSync(join(folder, 'pid'), 'utf8'), `${child.pid}\n`);
    child.kill(signal);
    t.is(await exited, code);
    t.regex(output(), said);
    t.false(existsSync(join(folder, 'pid')));
  });
}

test('SIGTERM answers during the lameduck time, and a second one does not shorten it; SIGINT does, with exit code 2', async (t) => {
  const { text, port } = await whoami('health 127.0.0.1:0 {\nlameduck 1h\n}\n');
  const { child, exited, printed } = await run(t, ['-conf', 'stdin'], text);
  await printed(UP);
  child.kill('SIGTERM');
  await printed('lameduck');
  child.kill('SIGTERM');
  const reply = await exchange({ host: '127.0.0.1', port }, 'udp', encodeQuery(1, asked('example.org', 'A')));
  t.is(reply.readUInt8(3) & 15, 0);
  child.kill('SIGINT');
  t.is(await exited, 2);
});

for (const signal of ['SIGHUP', 'SIGUSR1'] as const) {
  test(`${signal} reads the Corefile again, a bad one changes nothing`, async (t) => {
    const { text, port } = await whoami();
    const folder = await mkdtemp(join(tmpdir(), 'fivedots-process-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'Corefile');
    await writeFile(file, text);
    const { child, exited, printed, output } = await run(t, ['-conf', file]);
    await printed(UP);
    child.kill(signal);
    await printed('[INFO] Reloading complete');
    await writeFile(file, text.replace('whoami', 'forwad'));
    child.kill(signal);
    await printed(`[ERROR] plugin/reload: Reload failed: ${file}:3:1: found "forwad"`);
    const reply = await exchange({ host: '127.0.0.1', port }, 'udp', encodeQuery(1, asked('example.org', 'A')));
    t.is(reply.readUInt8(3) & 15, 0);
    t.notRegex(output(), /debugger/i);
    child.kill('SIGTERM');
    t.is(await exited, 0);
  });
}

test('the image starts with the options of npm start', (t) => {
  const [, entry = '[]'] = /^ENTRYPOINT (.*)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')) ?? [];
  const words = JSON.parse(entry) as readonly string[]; // of an exec form
  t.deepEqual(words.slice(1, -1), START_OPTIONS);
});

test('SIGUSR1 that comes too early leaves no inspector open', async (t) => {
  const { text } = await whoami();
  const early = `import { url } from 'node:inspector';
    import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.kill(process.pid, 'SIGUSR1');
    while (isMainThread && url() === undefined);`;
  const options = ['--inspect-port=0', '--import', `data:text/javascript,${early}`];
  const { printed, output } = await run(t, ['-conf', 'stdin'], text, options);
  await printed(UP);
  const [, port] = /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(output()) ?? [];
  const socket = connect(Number(port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  const error = await new Promise<unknown>((resolve) => void socket.on('connect', resolve).on('error', resolve));
  t.is((error as NodeJS.ErrnoException | undefined)?.code, 'ECONNREFUSED');
});

test('SIGUSR2 does not end it', async (t) => {
  const { text } = await whoami();
  const { child, exited, printed } = await run(t, ['-conf', 'stdin'], text);
  await printed(UP);
  child.kill('SIGUSR2');
  await printed('[WARNING] SIGUSR2');
  child.kill('SIGTERM');
  t.is(await exited, 0);
});

test('./Corefile is read where there is one', async (t) => {
  const { text } = await whoami();
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-process-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'Corefile'), text);
  const child = spawn(process.execPath, [join(ROOT, 'server/main.ts'), '--check'], { cwd: folder });
  let output = '';
  child.stdout.on('data', (octets: Buffer) => void (output += octets.toString()));
  const [code] = (await once(child, 'close')) as [number];
  t.is(code, 0);
  t.notRegex(output, /demo/);
});
