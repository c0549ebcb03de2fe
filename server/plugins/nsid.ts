/** `nsid`: tells a client which of several servers has answered, if it asks (RFC 5001). Knows nothing of OPT records. */

import { hostname } from 'node:os';

import type { Bytes } from '../../zones/units.ts';
import { refuse } from '../corefile/fault.ts';
import { noBody, onlyDirective } from '../corefile/values.ts';
import { after, transparent, type Plugin } from '../pipeline.ts';
import type { Reply } from '../query.ts';
import { OPTION_NSID } from '../wire/edns.ts';

/** What the server calls itself. */
export type NsidOptions = { readonly identifier: string };

/** Longest identifier: a longer one would leave too little of a reply of 512 octets (RFC 1035 section 4.2.1). */
export const IDENTIFIER_MAX: Bytes = 128;

/** The words as written, with one space between them; the host's name if there are none (CoreDNS plugin/nsid). */
export const nsid: Plugin<NsidOptions> = {
  name: 'nsid',
  parse(directives) {
    const directive = onlyDirective(directives);
    noBody(directive);
    const { args, name } = directive;
    const identifier = args.length === 0 ? hostname() : args.map(({ text }) => text).join(' ');
    if (Buffer.byteLength(identifier) > IDENTIFIER_MAX) refuse(args[0] ?? name, `at most ${IDENTIFIER_MAX} octets`);
    return { identifier };
  },
  layer({ identifier }) {
    const option = { code: OPTION_NSID, data: Buffer.from(identifier) };
    const identified = (reply: Reply): Reply => ({ ...reply, options: [...reply.options, option] });
    return transparent(
      (next) => (query) => (query.edns?.wantsNsid === true ? after(next(query), identified) : next(query)),
    );
  },
};
