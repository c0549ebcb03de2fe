/** The command line, which is CoreDNS's. Knows nothing of what the words make the program do. */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import type { DataThreadSettings, UdpMode } from './messages.ts';
import { PROGRAM } from './version.ts';

export type Arguments = {
  readonly action: 'serve' | 'check' | 'version' | 'plugins';
  /** A path, or `stdin`; undefined for `./Corefile` or the demo. */
  readonly conf: string | undefined;
  /** For blocks without a port. */
  readonly port: number;
  /** No banner. */
  readonly quiet: boolean;
  readonly pidFile: string | undefined;
  readonly dataThreads: DataThreadSettings;
};

/** What was asked for, or what to print instead: help (`code` 0) or what is wrong (`code` 1). */
export type Reading =
  | { readonly kind: 'arguments'; readonly arguments: Arguments }
  | { readonly kind: 'text'; readonly code: 0 | 1; readonly text: string };

/** The port of DNS, RFC 1035 section 4.2. */
const DNS_PORT = 53;

/** Reads the words after the program's name. */
export function readArguments(words: readonly string[]): Reading {
  let text = '';
  const command = new Command('fivedots')
    .description('DNS for a Kubernetes cluster, in place of CoreDNS: the same arguments and the same Corefile.')
    .option(
      '--conf <file>',
      'Corefile to load, or "stdin" (default: ./Corefile, else a demo cluster on 127.0.0.1:1053)',
    )
    .option('-p, --dns.port <port>', 'port of server blocks that name none', portFrom, DNS_PORT)
    .option('--quiet', 'print no banner')
    .option('--version', 'print the version and exit')
    .option('--plugins', 'print the plugins and exit')
    .option('--pidfile <file>', 'write the process id there, remove it at exit')
    .option('--no-express', 'answer every query in the plain lane; no octet of a reply changes')
    .addOption(
      new Option('--udp <calls>', 'system calls for datagrams: many with each where the machine can, or node:dgram')
        .choices(['batched', 'dgram'])
        .default('batched'),
    )
    .option('--check', 'load the Corefile, say what it serves, exit 0 if it can be used and 1 if not')
    .addHelpText('after', '\nCoreDNS writes its flags with one dash (-conf FILE); both spellings are accepted.')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: (out) => (text += out), writeErr: (err) => (text += err) });
  try {
    command.parse(twoDashes(words), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return {
      kind: 'text',
      code: error.exitCode === 0 ? 0 : 1,
      text: error.exitCode === 0 ? text.trimEnd() : complaint(text),
    };
  }
  const options = command.opts<Options>();
  return {
    kind: 'arguments',
    arguments: {
      action: options.version ? 'version' : options.plugins ? 'plugins' : options.check ? 'check' : 'serve',
      conf: options.conf,
      port: options['dns.port'],
      quiet: options.quiet ?? false,
      pidFile: options.pidfile,
      dataThreads: { express: options.express, udp: options.udp },
    },
  };
}

type Options = {
  readonly conf?: string;
  readonly 'dns.port': number;
  readonly quiet?: boolean;
  readonly version?: boolean;
  readonly plugins?: boolean;
  readonly pidfile?: string;
  readonly check?: boolean;
  readonly express: boolean;
  readonly udp: UdpMode;
};

/** Go's flag package knows only long flags and takes one dash as well as two. */
const LONG_FLAGS: readonly string[] = [
  'conf',
  'dns.port',
  'quiet',
  'version',
  'plugins',
  'pidfile',
  'check',
  'help',
  'no-express',
  'udp',
];

function twoDashes(words: readonly string[]): string[] {
  return words.map((word) => {
    const flag = /^-([a-z.-]+)(=.*)?$/s.exec(word);
    if (flag === null || !LONG_FLAGS.includes(flag[1] ?? ''))
      return word.startsWith('-p=') ? `-p${word.slice(3)}` : word;
    return `-${word}`;
  });
}

function portFrom(text: string): number {
  const port = Number(text);
  if (!/^[0-9]+$/.test(text) || port > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}

function complaint(text: string): string {
  return `${PROGRAM}: ${text.trim().replace(/^error: /, '')}\nRun it with -h to see what it understands.`;
}
