/** What this program is called and which one it is. Knows nothing of where that is shown. */

import project from '../package.json' with { type: 'json' };

/** As in package.json. */
export const VERSION: string = project.version;

/** `fivedots-0.1.0`, where CoreDNS prints `CoreDNS-1.14.7`. */
export const PROGRAM: string = `fivedots-${VERSION}`;
