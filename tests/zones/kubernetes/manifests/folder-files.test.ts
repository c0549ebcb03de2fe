import { mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import {
  DEPTH_MAX,
  ENTRIES_MAX,
  FILE_MAX,
  FOLDER_MAX,
  FolderError,
  listFolder,
  readManifest,
} from '../../../../zones/kubernetes/manifests/folder-files.ts';

test('manifest files come in the order of their names, with those below; others and hidden ones do not', async (t) => {
  const folder = await folderWith(t, ['b.yml', 'a/z.YAML', 'a/c.json', 'a.txt', '.d.yaml', '.e/f.yaml', 'yaml']);
  const { files, folders } = await listFolder(folder);
  t.deepEqual(
    files.map((file) => relative(folder, file)),
    ['a/c.json', 'a/z.YAML', 'b.yml'],
  );
  t.deepEqual(
    folders.map(({ path }) => relative(folder, path)),
    ['', 'a'],
  );
});

const EDITS: readonly (readonly [name: string, edit: (folder: string) => Promise<unknown>])[] = [
  ['a file is written', (folder) => writeFile(join(folder, 'a.yaml'), 'longer')],
  ['a file comes', (folder) => writeFile(join(folder, 'new.yaml'), '')],
  ['a file goes', (folder) => rm(join(folder, 'a.yaml'))],
  [
    'a file changes places with one of the same size',
    (folder) => rename(join(folder, 'b.yaml'), join(folder, 'a.yaml')),
  ],
  [
    'a link means another file',
    async (folder) => {
      await symlink('b.yaml', join(folder, '.link'));
      await rename(join(folder, '.link'), join(folder, 'link.yaml'));
    },
  ],
];
for (const [name, edit] of EDITS) {
  test(`the signature changes when ${name}`, async (t) => {
    const folder = await folderWith(t, ['a.yaml', 'b.yaml', 'x.txt']);
    await symlink('a.yaml', join(folder, 'link.yaml'));
    const { signature } = await listFolder(folder);
    t.is((await listFolder(folder)).signature, signature);
    await edit(folder);
    t.not((await listFolder(folder)).signature, signature);
  });
}

test('the signature does not change with files that are no manifests', async (t) => {
  const folder = await folderWith(t, ['a.yaml', 'x.txt']);
  const { signature } = await listFolder(folder);
  await writeFile(join(folder, 'x.txt'), 'longer');
  t.is((await listFolder(folder)).signature, signature);
});

test('a folder that is put in the place of another is another one', async (t) => {
  const folder = await folderWith(t, ['a/x.yaml', 'b/x.yaml']);
  const before = (await listFolder(folder)).folders;
  await rename(join(folder, 'a'), join(folder, 'c'));
  await rename(join(folder, 'b'), join(folder, 'a'));
  const after = (await listFolder(folder)).folders;
  t.is(before[1]?.path, after[1]?.path);
  t.not(before[1]?.identity, after[1]?.identity);
});

test('folders are not followed without end', async (t) => {
  const deepest = Array<string>(DEPTH_MAX).fill('d').join('/');
  const folder = await folderWith(t, [`${deepest}/a.yaml`]);
  t.is((await listFolder(folder)).files.length, 1);
  await mkdir(join(folder, deepest, 'd'));
  await t.throwsAsync(listFolder(folder), { instanceOf: FolderError, message: /more than 16 folders deep/ });
});

test('the bytes of all files together have a limit', async (t) => {
  const names = Array.from({ length: FOLDER_MAX / FILE_MAX }, (_, i) => `${i}.yaml`);
  const folder = await folderWith(t, names);
  for (const name of names) await truncate(join(folder, name), FILE_MAX);
  t.is((await listFolder(folder)).files.length, names.length);
  await writeFile(join(folder, 'more.yaml'), 'x');
  await t.throwsAsync(listFolder(folder), { instanceOf: FolderError, message: /more than 16777216 bytes/ });
});

test('a folder with a great many other files is refused', async (t) => {
  const folder = await folderWith(t, []);
  for (let i = 0; i <= ENTRIES_MAX; i++) await symlink('nowhere', join(folder, String(i)));
  await t.throwsAsync(listFolder(folder), { instanceOf: FolderError, message: /more than 10000 files in it/ });
});

test('a file that is gone is no fault', async (t) => {
  const folder = await folderWith(t, []);
  t.is(await readManifest(join(folder, 'a.yaml')), undefined);
});

test('a byte order mark is not part of the text', async (t) => {
  const folder = await folderWith(t, []);
  await writeFile(join(folder, 'a.yaml'), '\uFEFFkind: A');
  t.is(await readManifest(join(folder, 'a.yaml')), 'kind: A');
});

/** A new folder with these files, of one octet each. */
async function folderWith(t: ExecutionContext, files: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  t.teardown(() => rm(folder, { recursive: true }));
  for (const file of files) {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), 'x');
  }
  return folder;
}
