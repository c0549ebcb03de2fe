/** The resolvers that pods have, as models. */

import { DIG_SEARCH, NSLOOKUP } from './bind-tools.ts';
import { C_ARES } from './c-ares.ts';
import { GLIBC } from './glibc.ts';
import { GO } from './go.ts';
import { MUSL, OLD_MUSL } from './musl.ts';
import type { Resolver } from './resolver.ts';

export const RESOLVERS: readonly Resolver[] = [GLIBC, MUSL, OLD_MUSL, GO, C_ARES, DIG_SEARCH, NSLOOKUP];
