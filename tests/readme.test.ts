/** Everything that README.md shows is run: its commands, its console sessions, its Corefiles, its links. */

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { isInstalled } from './support/programs.ts';
import { freePort, startServer } from './support/server.ts';

const readme = readFileSync('README.md', 'utf8');

type Package = { readonly scripts: Readonly<Record<string, string>> };
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as Package;

test('the first two commands are the ones that install and run it, and install and test it', (t) => {
  t.deepEqual(fenced('sh'), ['npm ci && npm start\n', 'npm ci && npm test\n']);
  t.is(scripts['test'], 'ava');
});

test('what `npm start` starts is the demo, on 127.0.0.1:1053', async (t) => {
  t.regex(scripts['start'] ?? '', /^node [-=a-z0-9 ]*server\/main\.ts$/);
  t.regex(readFileSync('fixtures/corefiles/demo', 'utf8'), /^\.:1053 \{\n +bind 127\.0\.0\.1$/m);
  t.false(existsSync('Corefile'));
});

const sessions = fenced('console').flatMap((block) => {
  const entries = block.split(/^\$ /m).slice(1);
  return entries.map((entry) => {
    const [command = '', ...output] = entry.split('\n');
    return { command, output: output.join('\n') };
  });
});

for (const { command, output } of sessions.filter(({ command }) => command.startsWith('dig '))) {
  const run = isInstalled('dig') ? test : test.skip;
  run(`console: ${command}`, async (t) => {
    const port = await demoPort(t);
    t.is(await shell(command.replace('-p 1053', `-p ${port}`)), output);
  });
}

for (const { command, output } of sessions.filter(({ command }) => command.startsWith('node '))) {
  test(`console: ${command}`, async (t) => {
    t.is(await shell(command.replace(/^node /, `'${process.execPath}' `)), output);
  });
}

test('every console command of the README is run by one of these tests', (t) => {
  t.true(sessions.length > 0);
  t.deepEqual(
    sessions.filter(({ command }) => !/^(dig|node) /.test(command)),
    [],
  );
});

for (const [i, corefile] of fenced('corefile').entries()) {
  test(`Corefile ${i + 1} can be used`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'fivedots-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'Corefile'), corefile);
    await t.notThrowsAsync(shell(`'${process.execPath}' server/main.ts --check -conf '${join(folder, 'Corefile')}'`));
  });
}

test("kubeadm's Corefile in the README is the one in the fixtures", (t) => {
  const tokens = (text: string): string => text.replaceAll(/#.*$/gm, '').split(/\s+/).filter(Boolean).join(' ');
  t.is(tokens(fenced('corefile')[0] ?? ''), tokens(readFileSync('fixtures/corefiles/kubeadm', 'utf8')));
});

for (const file of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'PERFORMANCE.md', 'CHANGELOG.md']) {
  test(`${file}: what it links to and names is there`, (t) => {
    const text = readFileSync(file, 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!http)([^)#]+)\)/g)) t.true(existsSync(target), target);
    for (const [, path = ''] of text.matchAll(/`((?:zones|server|tests|fixtures|manifests|bench)\/[\w./-]+)`/g))
      t.true(existsSync(path), path);
    for (const [, name = ''] of text.matchAll(/`npm run (\w+)/g)) t.truthy(scripts[name], name);
    t.regex(text, /^# /);
  });
}

let demo: ReturnType<typeof startServer> | undefined;

test.after.always(async () => {
  await (await demo)?.close();
});

/** One demo for all: its own Corefile with other ports, so that a demo that somebody runs is not in the way. */
async function demoPort(t: ExecutionContext): Promise<number> {
  demo ??= (async () => {
    const ports = await Promise.all([freePort(), freePort()]);
    const text = readFileSync('fixtures/corefiles/demo', 'utf8')
      .replace('.:1053', '.:{$PORT}')
      .replace('127.0.0.1:1081', '127.0.0.1:{$READY_PORT}')
      .replace('127.0.0.1:1080', `127.0.0.1:${ports[0]}`)
      .replace('127.0.0.1:1082', `127.0.0.1:${ports[1]}`)
      .replace('manifests ../clusters/demo', `manifests ${join(process.cwd(), 'fixtures/clusters/demo')}`);
    return startServer({ corefile: { text } });
  })();
  const { port } = await demo;
  t.true(port > 0);
  return port;
}

function fenced(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);
}

function shell(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command}: ${stderr}${stdout}`, { cause: error }));
    });
  });
}
