/** A reply as one word or more, by which answers are compared: the rcode, NODATA, or the rdata in order. */

import { readReply } from '../support/reply.ts';

/** `10.96.0.10`, `10.0.0.1 10.0.0.2`, `NODATA`, `NXDOMAIN`; what is no reply at all says so. */
export function answerText(octets: Buffer): string {
  try {
    const { rcode, answer } = readReply(octets);
    if (rcode !== 'NOERROR') return rcode;
    if (answer.length === 0) return 'NODATA';
    return answer
      .map(({ rdata }) => rdata)
      .toSorted()
      .join(' ');
  } catch (error) {
    return `no message: ${error instanceof Error ? error.message : String(error)}`;
  }
}
