/**
 * What must hold for each kind of object in a manifest, as far as DNS needs it, with the expectation in words.
 * Knows nothing of files: what is wrong is told by path. An API server would have refused the same.
 */

import {
  addressTextFrom,
  fieldsOf,
  isAbsent,
  isFields,
  isHostName,
  isLabel,
  isPortNumber,
  isSubdomain,
  isTopologyZone,
  listOf,
  type Fields,
} from '../api-values.ts';
import { foundText, type Path } from './manifest-file.ts';
import type { Kind } from '../objects.ts';
import { HEADLESS, IMPORT_NAME_LABEL, SERVICE_NAME_LABEL } from '../trim.ts';

/** A part that is wrong: which, what it must be, and in `text` also what was found. */
export type Fault = { readonly path: Path; readonly text: string };

/** The kinds that DNS needs, with what follows from `apiVersion` and `kind`. */
export type ManifestKind = Kind | 'Endpoints';

/** Everything that is wrong with an object. */
export function faultsOf(kind: ManifestKind, raw: Fields): readonly Fault[] {
  const faults: Fault[] = [];
  const check = checksOf(raw, faults);
  checkMetadata(kind, check);
  CHECKS[kind](check, raw);
  return faults;
}

/** `spec.ports[0].port`. */
function presentPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

type Test = (value: unknown) => boolean;

/** Looks at parts of one object by path. */
type Check = {
  /** The part must be there and pass. */
  readonly must: (path: Path, test: Test, expected: string) => void;
  /** The part may be absent; if it is there it must pass. */
  readonly may: (path: Path, test: Test, expected: string) => void;
  /** The part may be absent; if it is there it must be a list, of which every element is checked. */
  readonly each: (path: Path, element: (path: Path) => void) => void;
  /** The part may be absent; if it is there it must be a mapping of texts. */
  readonly texts: (path: Path) => void;
};

/** Checks that add to `faults`. */
function checksOf(raw: Fields, faults: Fault[]): Check {
  const at = (path: Path): unknown => {
    let value: unknown = raw;
    for (const step of path) value = typeof step === 'number' ? listOf(value)[step] : fieldsOf(value)[step];
    return value;
  };
  const must: Check['must'] = (path, test, expected) => {
    const value = at(path);
    if (!test(value))
      faults.push({ path, text: `${presentPath(path)} must be ${expected}, found ${foundText(value)}` });
  };
  const may: Check['may'] = (path, test, expected) => {
    if (!isAbsent(at(path))) must(path, test, expected);
  };
  return {
    must,
    may,
    each(path, element) {
      may(path, Array.isArray, 'a list');
      for (const i of listOf(at(path)).keys()) element([...path, i]);
    },
    texts(path) {
      may(path, isFields, 'a mapping');
      for (const key of Object.keys(fieldsOf(at(path)))) {
        must([...path, key], isText, 'text (put numbers, true and false in quotes)');
      }
    },
  };
}

function checkMetadata(kind: ManifestKind, check: Check): void {
  if (kind === 'EndpointSlice' || kind === 'Pod') {
    check.must(['metadata', 'name'], isSubdomain, 'labels of lower-case letters, digits and hyphens with dots between');
  } else {
    check.must(['metadata', 'name'], isLabel, LABEL);
  }
  if (kind !== 'Namespace') check.may(['metadata', 'namespace'], isLabel, LABEL);
  check.texts(['metadata', 'labels']);
  check.texts(['metadata', 'annotations']);
}

const CHECKS: { readonly [K in ManifestKind]: (check: Check, raw: Fields) => void } = {
  Namespace: () => undefined,

  Service(check, raw) {
    const { type, clusterIP, clusterIPs, ports } = fieldsOf(raw['spec']);
    check.must(['spec'], isFields, 'a mapping');
    check.may(['spec', 'type'], oneOf(...SERVICE_TYPES), `one of ${SERVICE_TYPES.join(', ')}`);
    checkPorts(check, ['spec', 'ports'], true);
    for (const i of listOf(ports).keys()) {
      check.may(['spec', 'ports', i, 'targetPort'], isPortOrItsName, `${PORT}, or the name of a container's port`);
    }
    check.texts(['spec', 'selector']);
    check.each(['spec', 'ipFamilies'], (family) => check.must(family, oneOf('IPv4', 'IPv6'), 'IPv4 or IPv6'));
    check.may(['spec', 'publishNotReadyAddresses'], isBoolean, 'true or false');
    if (type === 'ExternalName') {
      check.must(['spec', 'externalName'], isHostName, 'a host name');
      return;
    }
    // What an unknown type must have nobody can say.
    if (!isAbsent(type) && !oneOf(...SERVICE_TYPES)(type)) return;
    const [first] = listOf(clusterIPs);
    const isHeadless = clusterIP === HEADLESS || first === HEADLESS;
    const single: Test = (value) => value === HEADLESS || isAddress(value);
    if (first === undefined) check.must(['spec', 'clusterIP'], single, CLUSTER_IP);
    else check.may(['spec', 'clusterIP'], (value) => value === first, 'the first of spec.clusterIPs');
    check.each(['spec', 'clusterIPs'], (path) => {
      if (isHeadless) check.must(path, oneOf(HEADLESS), HEADLESS);
      else check.must(path, isAddress, ADDRESS);
    });
  },

  EndpointSlice(check, raw) {
    const { addressType } = raw;
    check.may(['metadata', 'labels', SERVICE_NAME_LABEL], isLabel, `the name of a Service: ${LABEL}`);
    check.may(['metadata', 'labels', IMPORT_NAME_LABEL], isLabel, `the name of a ServiceImport: ${LABEL}`);
    check.must(['addressType'], oneOf('IPv4', 'IPv6', 'FQDN'), 'IPv4, IPv6 or FQDN');
    checkPorts(check, ['ports'], false);
    check.each(['endpoints'], (endpoint) => {
      check.must([...endpoint, 'addresses'], isFilledList, 'a list of one address or more');
      check.each([...endpoint, 'addresses'], (address) => {
        if (addressType === 'FQDN') check.must(address, isHostName, 'a host name, for the addressType is FQDN');
        else check.must(address, isAddress, ADDRESS);
      });
      check.may([...endpoint, 'conditions'], isFields, 'a mapping');
      check.may([...endpoint, 'conditions', 'ready'], isBoolean, 'true or false');
      check.may([...endpoint, 'hostname'], isLabel, LABEL);
      check.may([...endpoint, 'zone'], isTopologyZone, TOPOLOGY_ZONE);
      checkTarget(check, endpoint);
    });
  },

  Endpoints(check) {
    check.each(['subsets'], (subset) => {
      for (const list of ['addresses', 'notReadyAddresses']) {
        check.each([...subset, list], (address) => {
          check.must([...address, 'ip'], isAddress, ADDRESS);
          check.may([...address, 'hostname'], isLabel, LABEL);
          checkTarget(check, address);
        });
      }
      checkPorts(check, [...subset, 'ports'], true);
    });
  },

  Pod(check) {
    check.may(['metadata', 'deletionTimestamp'], isText, 'text');
    check.may(['spec'], isFields, 'a mapping');
    check.may(['spec', 'hostname'], isLabel, LABEL);
    check.may(['spec', 'subdomain'], isLabel, LABEL);
    check.may(['spec', 'dnsPolicy'], oneOf(...DNS_POLICIES), `one of ${DNS_POLICIES.join(', ')}`);
    check.may(['spec', 'dnsConfig'], isFields, 'a mapping');
    check.each(['spec', 'dnsConfig', 'searches'], (search) => check.must(search, isSearchName, 'a domain name'));
    check.each(['spec', 'dnsConfig', 'options'], (option) => {
      check.must([...option, 'name'], isText, 'text such as ndots');
      check.may([...option, 'value'], isText, 'text (put numbers in quotes)');
    });
    check.each(['spec', 'containers'], (container) => {
      check.each([...container, 'ports'], (port) => {
        check.must([...port, 'containerPort'], isPortNumber, PORT);
        check.may([...port, 'name'], isLabel, LABEL);
        check.may([...port, 'protocol'], oneOf(...PROTOCOLS), PROTOCOLS.join(', '));
      });
    });
    check.may(['status'], isFields, 'a mapping');
    check.may(['status', 'phase'], oneOf(...PHASES), `one of ${PHASES.join(', ')}`);
    check.may(['status', 'podIP'], isAddress, ADDRESS);
    check.each(['status', 'podIPs'], (path) => check.must([...path, 'ip'], isAddress, ADDRESS));
    check.each(['status', 'conditions'], (condition) => {
      check.must([...condition, 'type'], isText, 'text such as Ready');
      check.must(
        [...condition, 'status'],
        oneOf('True', 'False', 'Unknown'),
        `'True', 'False' or 'Unknown', with the quotes`,
      );
    });
  },

  ServiceImport(check) {
    check.must(['spec'], isFields, 'a mapping');
    check.must(['spec', 'type'], oneOf('ClusterSetIP', 'Headless'), 'ClusterSetIP or Headless');
    check.each(['spec', 'ips'], (path) => check.must(path, isAddress, ADDRESS));
    checkPorts(check, ['spec', 'ports'], true);
  },
};

function checkPorts(check: Check, path: Path, mustHaveNumber: boolean): void {
  check.each(path, (port) => {
    if (mustHaveNumber) check.must([...port, 'port'], isPortNumber, PORT);
    else check.may([...port, 'port'], isPortNumber, PORT);
    check.may([...port, 'name'], (name) => name === '' || isLabel(name), LABEL);
    check.may([...port, 'protocol'], oneOf(...PROTOCOLS), PROTOCOLS.join(', '));
  });
}

function checkTarget(check: Check, path: Path): void {
  check.may([...path, 'targetRef'], isFields, 'a mapping');
  check.may([...path, 'targetRef', 'kind'], isText, 'text such as Pod');
  check.may([...path, 'targetRef', 'name'], isText, 'text');
}

function oneOf(...values: readonly string[]): Test {
  return (value) => typeof value === 'string' && values.includes(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isAddress(value: unknown): boolean {
  return addressTextFrom(value) !== undefined;
}

function isSearchName(value: unknown): boolean {
  return value === '.' || isHostName(value);
}

function isFilledList(value: unknown): boolean {
  return listOf(value).length > 0;
}

function isPortOrItsName(value: unknown): boolean {
  return isPortNumber(value) || isLabel(value);
}

const SERVICE_TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];
const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];
const LABEL = 'a label of at most 63 lower-case letters, digits and inner hyphens';
const ADDRESS = 'an IPv4 or IPv6 address';
const TOPOLOGY_ZONE = 'the name of a topology zone: letters, digits and inner hyphens, underscores and dots, at most 63';
const PORT = 'a number from 1 to 65535';
const CLUSTER_IP = 'an address, or None for a headless Service (there is no API server here to assign one)';
