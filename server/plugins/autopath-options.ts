/** The directive `autopath` as plain data. Knows its words and their defaults, nothing of how names are completed. */

import { ROOT, type Name } from '../../zones/name.ts';
import type { Count, Seconds } from '../../zones/units.ts';
import { tldsFrom } from '../completion/tld-list.ts';
import type { BlockHead, Directive, Line, Token } from '../corefile/block.ts';
import { refuse } from '../corefile/fault.ts';
import {
  argumentsOf,
  integerFrom,
  noArguments,
  onlyArgument,
  optionsOf,
  unknownOption,
  zoneListFrom,
  zonesOrBlock,
} from '../corefile/values.ts';
import { isLabel } from '../../zones/kubernetes/api-values.ts';

/** Plain data. */
export type AutopathOptions = {
  readonly zones: readonly Name[];
  /** The list of a file in resolv.conf format; undefined for those of the cluster's pods. */
  readonly list: readonly Name[] | undefined;
  /** What the node searches itself. */
  readonly nodeDomains: readonly Name[];
  /** Namespaces whose search lists are left alone. */
  readonly except: readonly string[];
  /** Outside names at or below these are completed, besides those under public TLDs. */
  readonly suffixes: readonly Name[];
  /** In lower case; undefined for those that fivedots comes with. */
  readonly tlds: readonly string[] | undefined;
  readonly ttl: Seconds;
  /** Do the search lists of pods themselves count, where they are known? */
  readonly usesPods: boolean;
};

/** Files beside the Corefile that say something. */
export type AutopathFiles = {
  /**
   * The search domains of a file in resolv.conf format.
   * @throws the system's error if it cannot be read
   */
  readonly searchDomains: (file: string) => readonly Name[];
  /** @throws the system's error if it cannot be read */
  readonly text: (file: string) => string;
  /** What the node searches: that of the server's own process. */
  readonly nodeDomains: () => readonly Name[];
};

const USAGE = 'autopath [ZONES…] @kubernetes|FILE';
const FROM_CLUSTER = '@kubernetes';
/** As long as denials of the cluster's names are kept by default. */
const TTL: Seconds = 5;
const TTL_MAX: Seconds = 3_600;
/** Names of one kind in one directive: each is compared with each question. */
const NAMES_MAX: Count = 64;

/** @throws CorefileError */
export function autopathFrom(directive: Directive, block: BlockHead, files: AutopathFiles): AutopathOptions {
  const words = argumentsOf(directive, 1, Infinity, USAGE);
  const source = words.at(-1) ?? directive.name;
  let options: AutopathOptions = {
    zones: zonesOrBlock(words.slice(0, -1), block),
    list: source.text === FROM_CLUSTER ? undefined : listFrom(source, files),
    nodeDomains: files.nodeDomains(),
    except: [],
    suffixes: [],
    tlds: undefined,
    ttl: TTL,
    usesPods: false,
  };
  for (const line of optionsOf(directive)) options = withOption(options, line, files);
  return options;
}

const WORDS = ['except', 'suffix', 'tld', 'ttl', 'pods'];

function withOption(options: AutopathOptions, line: Line, files: AutopathFiles): AutopathOptions {
  switch (line.name.text) {
    case 'except':
      return { ...options, except: bounded(line, [...options.except, ...namespacesFrom(line)]) };
    case 'suffix': {
      const suffixes = argumentsOf(line, 1, Infinity, 'suffix NAME…').flatMap(suffixesFrom);
      return { ...options, suffixes: bounded(line, [...options.suffixes, ...suffixes]) };
    }
    case 'tld':
      return { ...options, tlds: tldsIn(onlyArgument(line, 'tld FILE'), files) };
    case 'ttl':
      return { ...options, ttl: integerFrom(onlyArgument(line, 'ttl SECONDS'), 0, TTL_MAX) };
    case 'pods':
      noArguments(line);
      if (options.list !== undefined) refuse(line.name, `no option pods beside a file: it is for ${FROM_CLUSTER}`);
      return { ...options, usesPods: true };
    default:
      return unknownOption(line, 'autopath', WORDS);
  }
}

/** Below the root is every mistyped name. */
function suffixesFrom(token: Token): readonly Name[] {
  const names = zoneListFrom([token]);
  return names.includes(ROOT) ? refuse(token, 'a name below the root, such as corp.internal') : names;
}

function namespacesFrom(line: Line): readonly string[] {
  return argumentsOf(line, 1, Infinity, 'except NAMESPACE…').map((token) =>
    isLabel(token.text) ? token.text : refuse(token, 'the name of a namespace'),
  );
}

function bounded<Item>(line: Line, items: readonly Item[]): readonly Item[] {
  if (items.length > NAMES_MAX) refuse(line.name, `at most ${NAMES_MAX} names in all lines of this word`);
  return items;
}

function listFrom(source: Token, files: AutopathFiles): readonly Name[] {
  if (source.text.startsWith('@'))
    refuse(source, `${FROM_CLUSTER}, or a file in resolv.conf format with a search line`);
  const list = reading(source, files.searchDomains);
  if (list.length === 0) refuse(source, 'a file with a search line; this one has none');
  return list;
}

function tldsIn(token: Token, files: AutopathFiles): readonly string[] {
  return reading(token, (file) => [...tldsFrom(files.text(file))]);
}

/** @throws CorefileError at the token if its file cannot be read or used */
function reading<Content>(token: Token, read: (file: string) => Content): Content {
  try {
    return read(token.text);
  } catch (error) {
    return refuse(token, `a file that can be used (${error instanceof Error ? error.message : String(error)})`);
  }
}
