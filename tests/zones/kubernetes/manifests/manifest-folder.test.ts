import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { FILE_MAX, FILES_MAX, FolderError } from '../../../../zones/kubernetes/manifests/folder-files.ts';
import { LabelSelectorError } from '../../../../zones/kubernetes/label-selector.ts';
import { COMPLAINTS_TOLD, openManifestFolder } from '../../../../zones/kubernetes/manifests/manifest-folder.ts';
import type { SourceChange } from '../../../../zones/kubernetes/source.ts';
import type { SourceOptions } from '../../../../zones/kubernetes/source.ts';
import { NO_LIMITS } from '../../../support/no-limits.ts';

const OPTIONS: SourceOptions = {
  from: { kind: 'manifests', folder: '' },
  pods: false,
  endpointSlices: true,
  headlessOnly: false,
  imports: false,
  topologyZones: false, podNames: false,
  labels: '',
  namespaceLabels: '', requests: NO_LIMITS,
};

test('at first every kind that was asked for is replaced, in one step', async (t) => {
  const { folder, next } = await opened(t, { 'web.yaml': service('web', '10.96.0.1') });
  t.deepEqual(await next(), ['replace Namespace shop', 'replace Service web=10.96.0.1', 'replace EndpointSlice ']);
  t.truthy(folder);
});

test('Pods are told only where they are asked for, slices not with noendpoints', async (t) => {
  const { next } = await opened(t, { 'p.yaml': POD }, { ...OPTIONS, pods: true, endpointSlices: false });
  t.deepEqual(await next(), ['replace Namespace shop', 'replace Service ', 'replace Pod web-1']);
});

test('an empty folder is an empty cluster, and that is said', async (t) => {
  const { next, nextReport } = await opened(t, { 'README.md': 'x', '.hidden.yaml': 'not: [read' });
  t.deepEqual(await next(), ['replace Namespace ', 'replace Service ', 'replace EndpointSlice ']);
  t.regex(await nextReport('warning'), /has no \*\.yaml/);
});

test('files below folders below, of every ending, are read', async (t) => {
  const { next } = await opened(t, {
    'a/b/one.yml': service('one', '10.96.0.1'),
    'two.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'two', namespace: 'shop' },
      spec: { clusterIP: 'None' },
    }),
    'three.txt': service('three', '10.96.0.3'),
  });
  t.is((await next())[1], 'replace Service one=10.96.0.1 two=None');
});

test('an edit is told as the difference, in one step', async (t) => {
  const { folder, next, nextReport } = await opened(t, {
    'web.yaml': `${service('web', '10.96.0.1')}---\n${service('same', '10.96.0.9')}---\n${POD}`,
  });
  await next();
  await writeFile(join(folder, 'web.yaml'), `${service('new', '10.96.0.2')}---\n${service('same', '10.96.0.9')}`);
  t.deepEqual(await next(), [
    'remove Service shop/web',
    'put Service new=10.96.0.2',
    'remove EndpointSlice shop/web-ipv4-1',
  ]);
  await nextReport(
    'info',
    /Service shop\/web removed, Service shop\/new put, EndpointSlice shop\/web-ipv4-1 removed; now 1 file/,
  );
});

test('a namespace that nothing is in any more goes with its last object', async (t) => {
  const { folder, next } = await opened(t, { 'web.yaml': service('web', '10.96.0.1'), 'x.yaml': '' });
  await next();
  await rm(join(folder, 'web.yaml'));
  t.deepEqual(await next(), ['remove Namespace /shop', 'remove Service shop/web']);
});

test('a new file, a new folder and a deleted file are seen', async (t) => {
  const { folder, next } = await opened(t, { 'web.yaml': service('web', '10.96.0.1') });
  await next();
  await writeFile(join(folder, 'db.yaml'), service('db', '10.96.0.2'));
  t.deepEqual(await next(), ['put Service db=10.96.0.2']);
  await mkdir(join(folder, 'more'));
  await writeFile(join(folder, 'more', 'x.yaml'), service('x', '10.96.0.3'));
  t.deepEqual(await next(), ['put Service x=10.96.0.3']);
  await rm(join(folder, 'web.yaml'));
  t.deepEqual(await next(), ['remove Service shop/web']);
});

for (const cluster of ['demo', 'example']) {
  test(`fixtures/clusters/${cluster} is read without a word of trouble`, async (t) => {
    const step = Promise.withResolvers<void>();
    const events = {
      // Whatever there is to say is said in the same turn.
      change: () => void setImmediate(step.resolve),
      known: nothing,
      report: (level: string, text: string) => {
        if (level !== 'info' || !text.includes(' was read: ')) step.reject(new Error(text));
      },
    };
    const source = openManifestFolder(join('fixtures/clusters', cluster), { ...OPTIONS, pods: true }, events);
    t.teardown(() => source.close());
    await t.notThrowsAsync(step.promise);
  });
}

test('an editor that writes beside and renames is followed', async (t) => {
  const { folder, next } = await opened(t, { 'web.yaml': service('web', '10.96.0.1') });
  await next();
  for (const address of ['10.96.0.2', '10.96.0.3']) {
    await writeFile(join(folder, '.web.yaml.swp'), service('web', address));
    await rename(join(folder, '.web.yaml.swp'), join(folder, 'web.yaml'));
    t.deepEqual(await next(), [`put Service web=${address}`]);
  }
});

test("a ConfigMap's swap of symbolic links is followed", async (t) => {
  const { folder, next } = await opened(t, {
    '..first/web.yaml': service('web', '10.96.0.1'),
    '..second/web.yaml': service('web', '10.96.0.2'),
    '..data': { link: '..first' },
    'web.yaml': { link: '..data/web.yaml' },
  });
  t.is((await next())[1], 'replace Service web=10.96.0.1');
  await symlink('..second', join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  t.deepEqual(await next(), ['put Service web=10.96.0.2']);
});

test('an edit behind a link, where no notice comes from, is seen', async (t) => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'manifests-'));
  t.teardown(() => rm(elsewhere, { recursive: true }));
  await writeFile(join(elsewhere, 'target'), service('web', '10.96.0.1'));
  const { next } = await opened(t, { 'web.yaml': { link: join(elsewhere, 'target') } });
  await next();
  await writeFile(join(elsewhere, 'target'), service('web', '10.96.0.2'));
  t.deepEqual(await next(), ['put Service web=10.96.0.2']);
});

test('wrong YAML changes nothing, names the place, and its mending is told', async (t) => {
  const { folder, next, nextReport, steps } = await opened(t, { 'web.yaml': service('web', '10.96.0.1') });
  await next();
  await writeFile(join(folder, 'web.yaml'), `${service('web', '10.96.0.1')}  bad\n`);
  t.regex(await nextReport('error'), /web\.yaml:\d+:\d+: not YAML: .* found "bad"/);
  t.regex(await nextReport('warning'), /has an error: the last good state keeps being served until that is mended/);
  t.is(steps(), 1);
  await writeFile(join(folder, 'web.yaml'), service('web', '10.96.0.2'));
  t.deepEqual(await next(), ['put Service web=10.96.0.2']);
  t.regex(
    await nextReport('info', /mended/),
    /is mended: Service shop\/web put; now 1 file, 1 Namespace, 1 Service, 0 EndpointSlices/,
  );
});

test('a wrong object in one file holds back the good edits of others, until all is well', async (t) => {
  const { folder, next, nextReport, steps } = await opened(t, { 'web.yaml': service('web', '10.96.0.1') });
  await next();
  await writeFile(join(folder, 'bad.yaml'), service('db', '10.96.0'));
  t.regex(
    await nextReport('error'),
    /bad\.yaml:4:20: Service "shop\/db": spec\.clusterIP must be an address, or None .*found "10\.96\.0"/,
  );
  await writeFile(join(folder, 'web.yaml'), service('web', '10.96.0.7'));
  await nextReport('error');
  t.is(steps(), 1);
  await rm(join(folder, 'bad.yaml'));
  t.deepEqual(await next(), ['put Service web=10.96.0.7']);
});

test('a folder that is wrong from the start leaves the cluster unsynced, until it is mended', async (t) => {
  const { folder, next, nextReport, steps } = await opened(t, { 'web.yaml': 'kind: [' });
  t.regex(await nextReport('error'), /web\.yaml:/);
  t.regex(await nextReport('warning'), /no cluster name is served until that is mended/);
  t.is(steps(), 0);
  await writeFile(join(folder, 'web.yaml'), service('web', '10.96.0.1'));
  t.deepEqual(await next(), ['replace Namespace shop', 'replace Service web=10.96.0.1', 'replace EndpointSlice ']);
});

test('only the first errors are told, with the number of all', async (t) => {
  const bad = Array.from({ length: 50 }, (_, i) => service(`s${i}`, 'x')).join('---\n');
  const { reports, nextReport } = await opened(t, { 'bad.yaml': bad });
  t.regex(await nextReport('warning'), /has 50 errors/);
  t.is(reports.filter(([level]) => level === 'error').length, COMPLAINTS_TOLD);
});

test('a folder that goes away keeps its last state, and may come back', async (t) => {
  const { folder, next, nextReport, steps } = await opened(t, { 'web.yaml': service('web', '10.96.0.1') });
  await next();
  await rename(folder, `${folder}-away`);
  t.teardown(() => rm(`${folder}-away`, { recursive: true, force: true }));
  t.regex(await nextReport('error'), /does not exist any more: put it back; the last good state keeps being served/);
  t.is(steps(), 1);
  await mkdir(folder);
  await writeFile(join(folder, 'web.yaml'), service('web', '10.96.0.4'));
  t.deepEqual(await next(), ['put Service web=10.96.0.4']);
});

test('a file that is too big is refused', async (t) => {
  const { nextReport } = await opened(t, { 'big.yaml': `#${'x'.repeat(FILE_MAX)}` });
  t.regex(await nextReport('error'), /big\.yaml:1:1: must be at most 1048576 bytes long, found 1048577/);
});

test('a file that is not UTF-8 is refused', async (t) => {
  const { nextReport } = await opened(t, { 'latin.yaml': Buffer.from('kind: caf\xe9', 'latin1') });
  t.regex(await nextReport('error'), /latin\.yaml:1:1: must be UTF-8/);
});

test('too many files are refused', async (t) => {
  const files = Object.fromEntries(Array.from({ length: FILES_MAX + 1 }, (_, i) => [`${i}.yaml`, '']));
  const { nextReport } = await opened(t, files);
  t.regex(await nextReport('error'), /has more than 1000 manifest files/);
});

test('links that run in a circle end', async (t) => {
  const { next } = await opened(t, {
    'a/web.yaml': service('web', '10.96.0.1'),
    'a/b': { link: '../a' },
    'x.yaml': { link: 'x.yaml' },
  });
  t.is((await next())[1], 'replace Service web=10.96.0.1');
});

test('what stands in a file cannot forge a line of the log', async (t) => {
  const { reports, next } = await opened(t, { 'a.yaml': 'apiVersion: v1\nkind: "X\\n[ERROR] all is lost\\x1b[2J"\n' });
  await next();
  t.is(reports.filter(([, text]) => text.includes('all is lost')).length, 1);
  for (const [, text] of reports) t.notRegex(text, /\p{Cc}/u);
});

test('what is ignored is said once', async (t) => {
  const deployment = 'apiVersion: apps/v1\nkind: Deployment\n';
  const { folder, next, reports } = await opened(t, { 'a.yaml': deployment });
  await next();
  await writeFile(join(folder, 'web.yaml'), service('web', '10.96.0.1'));
  await next();
  t.is(reports.filter(([, text]) => text.includes('is ignored')).length, 1);
});

test('a folder that is missing, or is a file, is refused at once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'file'), '');
  const events = { change: () => t.fail(), known: nothing, report: () => t.fail() };
  for (const name of ['nosuch', 'file']) {
    const error = t.throws(() => openManifestFolder(join(folder, name), OPTIONS, events), { instanceOf: FolderError });
    t.regex(error.message, /^manifests folder .* cannot be looked into \(.*\): name a folder/);
  }
});

test('a wrong label selector is refused at once', (t) => {
  const events = { change: () => t.fail(), known: nothing, report: () => t.fail() };
  t.throws(() => openManifestFolder(tmpdir(), { ...OPTIONS, labels: 'a b' }, events), {
    instanceOf: LabelSelectorError,
  });
});

test('after close nothing more is told', async (t) => {
  const { folder, next, source, steps } = await opened(t, { 'web.yaml': service('web', '10.96.0.1') });
  await next();
  source.close();
  const other = await opened(t, {});
  await other.next();
  await writeFile(join(folder, 'web.yaml'), service('web', '10.96.0.2'));
  // Another source that looks as often sees a later edit of its own folder.
  await writeFile(join(other.folder, 'x.yaml'), service('x', '10.96.0.1'));
  await other.next();
  t.is(steps(), 1);
});

const POD = `apiVersion: v1
kind: Pod
metadata: { name: web-1, namespace: shop, labels: { app: web } }
status: { podIP: 10.0.0.1 }
`;

function service(name: string, clusterIP: string): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { clusterIP: ${clusterIP}, selector: { app: ${name} } }
`;
}

type Opened = {
  readonly folder: string;
  readonly source: { close(): void };
  /** The changes of the next step, one text each; waits for it. */
  readonly next: () => Promise<readonly string[]>;
  /** The next report of a level that matches; waits for it. */
  readonly nextReport: (level: string, matches?: RegExp) => Promise<string>;
  readonly reports: readonly (readonly [level: string, text: string])[];
  /** How many steps there have been. */
  readonly steps: () => number;
};

type Content = string | Uint8Array | { readonly link: string };

/** A new folder with these files in it, and a source that reads it. */
async function opened(
  t: ExecutionContext,
  files: Readonly<Record<string, Content>>,
  options = OPTIONS,
): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    if (typeof content === 'object' && 'link' in content) await symlink(content.link, path);
    else await writeFile(path, content);
  }
  const steps = new Feed<readonly SourceChange[]>();
  const reports = new Feed<readonly [level: string, text: string]>();
  const source = openManifestFolder(folder, options, {
    change: (changes) => steps.add(changes),
    known: nothing,
    report: (level, text) => reports.add([level, text]),
  });
  t.teardown(() => source.close());
  return {
    folder,
    source,
    next: async () => (await steps.take(() => true)).map(present),
    nextReport: async (level, matches = /./) =>
      (await reports.take(([its, text]) => its === level && matches.test(text)))[1],
    reports: reports.all,
    steps: () => steps.all.length,
  };
}

/** Things as they come, each to be taken once. */
class Feed<Item> {
  readonly all: Item[] = [];
  #taken = 0;
  #wake = (): void => undefined;

  add(item: Item): void {
    this.all.push(item);
    this.#wake();
  }

  async take(isWanted: (item: Item) => boolean): Promise<Item> {
    for (;;) {
      const item = this.all[this.#taken];
      if (item === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      this.#taken++;
      if (isWanted(item)) return item;
    }
  }
}

function present(change: SourceChange): string {
  switch (change.verb) {
    case 'put':
      return `put ${change.object.kind} ${nameOf(change.object)}`;
    case 'remove':
      return `remove ${change.kind} ${change.namespace}/${change.name}`;
    case 'replace':
      return `replace ${change.listing.kind} ${[...change.listing.objects()].map(nameOf).join(' ')}`;
  }
}

function nothing(): ReadonlyMap<string, string> {
  return new Map();
}

function nameOf(object: Extract<SourceChange, { verb: 'put' }>['object']): string {
  return object.kind === 'Service' ? `${object.name}=${object.clusterIPs.join('+')}` : object.name;
}
